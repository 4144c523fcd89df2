import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeCertificates } from '../certificates.ts'
import { apiServer, controllerManager, etcd, SERVICE_CIDR } from '../control-plane.ts'
import { bin } from '../folders.ts'
import { capture, kubectl } from '../kubectl.ts'
import { buildNodeImages, IMAGES } from '../own-images.ts'
import { eventually, start, tail } from '../processes.ts'
import type { Cluster } from '../tiers.ts'
import { coredns } from './coredns.ts'
import { API_PORT, configuration, CONTAINERD, NODE_IP, preparation } from './configuration.ts'
import { cgroupRoots, makeNamespaces, type Namespaces } from './namespaces.ts'

/** A whole cluster of one node without a container engine. Needs root. It ends with this process. */
export const upNode = async (folder: string): Promise<Cluster> => {
  if (process.getuid?.() !== 0) throw new Error('a node makes namespaces and mounts, which takes root')
  rmSync(folder, { recursive: true, force: true })
  const plane = {
    folder,
    host: NODE_IP,
    bind: '0.0.0.0',
    port: API_PORT,
    etcdPort: 2379,
    etcdPeerPort: 2380,
    issuer: 'https://kubernetes.default.svc.cluster.local',
  }
  for (const [name, text] of Object.entries(configuration(folder, IMAGES.pause))) {
    const file = join(folder, 'conf', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  mkdirSync(join(folder, 'log'))
  const [system] = await Promise.all([buildNodeImages(), makeCertificates(join(folder, 'pki'), plane)])
  const node = await makeNamespaces(join(folder, 'log', 'node.log'))
  const cluster = {
    kubeconfig: join(folder, 'pki', 'admin.kubeconfig'),
    loader: node.enter([...CTR, 'images', 'import']),
    down: async (): Promise<void> => {
      await node.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  try {
    await capture(node.enter(['sh', '-eu', '-s']), {
      stdin: preparation(folder, cgroupRoots(), SERVICE_CIDR),
    })
    const run = starter(node, folder)
    run('etcd', etcd(plane))
    run('apiserver', apiServer(plane))
    run('controller-manager', controllerManager(plane))
    await runNode(run, { folder, cluster, images: system, node })
    return cluster
  } catch (cause) {
    const logs = join(dirname(folder), 'last-failure')
    rmSync(logs, { recursive: true, force: true })
    cpSync(join(folder, 'log'), logs, { recursive: true })
    const said = ['apiserver', 'kubelet', 'containerd'].map(
      (name) => `${name}: ${tail(join(logs, `${name}.log`), 4)}`,
    )
    await cluster.down()
    throw new Error(`the node did not come up; logs are in ${logs}\n${said.join('\n')}`, { cause })
  }
}

const CTR = ['ctr', '--address', CONTAINERD, '--namespace', 'k8s.io']

type RunHere = (name: string, command: readonly string[]) => void

const starter =
  (node: Namespaces, folder: string): RunHere =>
  (name, command) => {
    start(node.enter(command), { log: join(folder, 'log', `${name}.log`), life: 'owner' })
  }

interface NodeParts {
  readonly folder: string
  readonly cluster: Cluster
  readonly images: readonly string[]
  readonly node: Namespaces
}

const runNode = async (run: RunHere, { folder, cluster, images, node }: NodeParts): Promise<void> => {
  const conf = (name: string): string => join(folder, 'conf', name)
  const pki = (name: string): string => join(folder, 'pki', name)
  const k = kubectl(cluster.kubeconfig)
  run('scheduler', [
    join(bin, 'kube-scheduler'),
    `--kubeconfig=${pki('scheduler.kubeconfig')}`,
    '--leader-elect=false',
    '--secure-port=0',
  ])
  run('containerd', ['containerd', '--config', conf('containerd.toml')])
  await eventually(() => capture(node.enter([...CTR, 'version'])), 30)
  for (const image of images) await capture([...cluster.loader, image])
  run('kubelet', [
    join(bin, 'kubelet'),
    `--config=${conf('kubelet.yaml')}`,
    `--kubeconfig=${pki('kubelet.kubeconfig')}`,
    '--hostname-override=node',
    `--node-ip=${NODE_IP}`,
    '--root-dir=/var/lib/kubelet',
  ])
  await eventually(() => k(['get', '--raw', '/readyz']), 60)
  run('proxy', [join(bin, 'kube-proxy'), `--config=${conf('proxy.yaml')}`])
  run('network-policies', [process.execPath, join(import.meta.dirname, 'enforce.ts'), cluster.kubeconfig])
  await k(['apply', '--server-side', '-f', '-'], coredns(IMAGES.coredns))
  await eventually(() => k(['wait', '--for=condition=Ready', 'node/node', '--timeout=1s']), 60)
  await k(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=60s'])
}
