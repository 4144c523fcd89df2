import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../proxy/demo/free-port.ts'
import { makeCertificates } from './certificates.ts'
import { apiServer, controllerManager, etcd } from './control-plane.ts'
import { kubectl } from './kubectl.ts'
import { eventually, start, tail } from './processes.ts'
import type { Cluster } from './tiers.ts'

/** etcd, API server and controller manager on loopback, at free ports, as the user who asks. They end with this process. */
export const upApi = async (folder: string): Promise<Cluster> => {
  const [port = 0, etcdPort = 0, etcdPeerPort = 0] = await freePorts(3)
  const plane = {
    folder,
    host: '127.0.0.1',
    bind: '127.0.0.1',
    port,
    etcdPort,
    etcdPeerPort,
    issuer: `https://127.0.0.1:${port}`,
  }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'log'), { recursive: true })
  await makeCertificates(join(folder, 'pki'), plane)
  const log = (name: string): string => join(folder, 'log', `${name}.log`)
  const children = [
    start(etcd(plane), { log: log('etcd'), life: 'owner' }),
    start(apiServer(plane), { log: log('apiserver'), life: 'owner' }),
    start(controllerManager(plane), { log: log('controller-manager'), life: 'owner' }),
  ]
  const down = async (): Promise<void> => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((done) => child.once('exit', done))
        child.kill('SIGKILL')
        await ended
      }),
    )
    rmSync(folder, { recursive: true, force: true })
  }
  const kubeconfig = join(folder, 'pki', 'admin.kubeconfig')
  const k = kubectl(kubeconfig)
  try {
    await eventually(() => k(['get', '--raw', '/readyz']), 60)
    await eventually(() => k(['get', 'serviceaccount', 'default', '-n', 'default']), 30)
  } catch (cause) {
    const said = ['etcd', 'apiserver', 'controller-manager'].map((name) => `${name}:\n${tail(log(name), 8)}`)
    await down()
    throw new Error(`the API server did not come up\n${said.join('\n')}`, { cause })
  }
  return { kubeconfig, loader: [], down }
}
