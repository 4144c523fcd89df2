import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { newAuthority, newKey, signLeaf } from '../../proxy/src/controller/pki/x509.ts'
import { api } from '../support/api.ts'
import { modelPod, startController, webhookFor, type RunningController } from '../support/controller.ts'

let running: RunningController[] = []
let webhooks: string[] = []
afterEach(async () => {
  const { kubectl } = await api()
  await Promise.all(running.map((one) => one.kill()))
  for (const name of webhooks) await kubectl(['delete', 'mutatingwebhookconfiguration', name])
  ;[running, webhooks] = [[], []]
})

/** A controller that keeps the caBundle of a webhook, and a namespace whose labelled pods go to it. */
const setUp = async (certificates: Readonly<Record<string, unknown>> = {}) => {
  const cluster = await api()
  const home = await cluster.namespace('ctl')
  const team = await cluster.namespace('team')
  const controller = await startController(cluster, home, {
    certificates: { webhooks: [home], settleSeconds: 2, ...certificates },
  })
  running.push(controller)
  await cluster.apply(webhookFor(home, team, controller.port))
  webhooks.push(home)
  const create = (name: string) => cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod(name))
  await eventually(async () => {
    await create('first')
    const pod = await read(team, 'first')
    if (pod.metadata.labels['postern.dev/injected'] === 'true') return
    await cluster.kubectl(['-n', team, 'delete', 'pod', 'first', '--now'])
    throw new Error('the webhook is not in force yet')
  }, 60)
  return { cluster, home, team, controller, create }
}

interface Pod {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }
  readonly spec: { readonly initContainers: readonly object[] }
}

const read = async (namespace: string, name: string): Promise<Pod> =>
  JSON.parse(await (await api()).kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'json'])) as Pod

test('a labelled pod gets its guard from the API server, and a dead webhook lets none in', async () => {
  const { team, controller, create } = await setUp()
  const { metadata, spec } = await read(team, 'first')
  expect(spec.initContainers[0]).toMatchObject({ name: 'postern', restartPolicy: 'Always' })
  expect(JSON.parse(metadata.annotations['postern.dev/status'] ?? '')).toMatchObject({
    mode: 'takeover',
    port: 8000,
  })
  await controller.kill()
  await expect(create('second')).rejects.toThrow(/failed calling webhook/)
})

test('a pod that cannot be guarded is refused with a sentence that says why', async () => {
  const { cluster, team } = await setUp()
  const pod = modelPod('bad').replace('spec:', 'spec:\n  hostNetwork: true')
  await expect(cluster.kubectl(['-n', team, 'create', '-f', '-'], pod)).rejects.toThrow(
    /denied the request: postern: .*hostNetwork/is,
  )
})

test('no admission fails while the CA is rotated', async () => {
  const { cluster, home, team, create } = await setUp()
  const caBundle = async () =>
    Buffer.from(
      await cluster.kubectl([
        'get',
        'mutatingwebhookconfiguration',
        home,
        '-o',
        'jsonpath={.webhooks[0].clientConfig.caBundle}',
      ]),
      'base64',
    ).toString()
  const before = await caBundle()
  await cluster.kubectl(['-n', home, 'annotate', 'secret', 'postern-ca', 'postern.dev/rotate=now'])
  const end = Date.now() + 30_000
  for (let number = 0; Date.now() < end; number++) await create(`pod-${number}`)
  const after = await caBundle()
  expect(after.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  expect(after).toContain(before.trim())
  const events = running[0]!.log.map(({ event }) => event)
  expect(events).toEqual(expect.arrayContaining(['authority_rotated', 'server_certificate_renewed']))
  const last = (
    await cluster.kubectl(['-n', team, 'get', 'pods', '-l', 'postern.dev/injected=true', '-o', 'name'])
  ).trim()
  const all = (await cluster.kubectl(['-n', team, 'get', 'pods', '-o', 'name'])).trim()
  expect(last).toBe(all)
})

test('with certificates of somebody else in files it serves those, follows them, and tells guards to trust both CAs', async () => {
  const cluster = await api()
  const [home, team] = [await cluster.namespace('ctl'), await cluster.namespace('team')]
  const folder = mkdtempSync(join(tmpdir(), 'postern-files-'))
  const [cert, key, ca] = ['tls.crt', 'tls.key', 'ca.crt'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const hour = () => ({
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  })
  /** As cert-manager does it: the Secret's files, and its cainjector the caBundle. */
  const issue = async (): Promise<string> => {
    const authority = await newAuthority({ trustDomain: 'manager.local', ...hour() })
    const own = newKey()
    const names = { dns: ['localhost'], ip: ['127.0.0.1'] }
    writeFileSync(key, own.key)
    writeFileSync(
      cert,
      await signLeaf(authority, { publicKey: own.publicKey, names, ...hour(), usage: ['server'] }),
    )
    writeFileSync(ca, authority.certificate)
    return authority.certificate
  }
  const first = await issue()
  const files = { source: 'files', files: { cert, key, ca }, webhooks: [home] }
  await cluster.kubectl(['create', 'clusterrole', home, '--verb=get', '--resource=pods'])
  const controller = await startController(cluster, home, { certificates: files })
  running.push(controller)
  webhooks.push(home)
  const bundled = (authority: string): Promise<string> =>
    cluster.apply(
      webhookFor(home, team, controller.port).replace(
        'clientConfig:\n',
        `clientConfig:\n      caBundle: ${Buffer.from(authority).toString('base64')}\n`,
      ),
    )
  const injects = (name: string): Promise<void> =>
    eventually(async () => {
      await cluster.kubectl(['-n', team, 'create', '-f', '-'], modelPod(name))
      const pod = await read(team, name)
      if (pod.metadata.labels['postern.dev/injected'] === 'true') return
      await cluster.kubectl(['-n', team, 'delete', 'pod', name, '--now'])
      throw new Error('the webhook is not in force yet')
    }, 60)
  const trusted = (): Promise<string> =>
    cluster.kubectl([
      '-n',
      team,
      'get',
      'configmap',
      'postern-trust',
      '-o',
      String.raw`jsonpath={.data.ca\.crt}`,
    ])
  await bundled(first)
  await injects('first')
  await eventually(async () => expect(await trusted()).toContain(first.trim()), 30)
  // The own CA, which signs what guards serve, is the second one.
  expect((await trusted()).match(/BEGIN/g)).toHaveLength(2)

  const second = await issue()
  await bundled(second)
  await injects('second')
  await eventually(async () => expect(await trusted()).toContain(second.trim()), 30)
  expect(await trusted()).not.toContain(first.trim())

  writeFileSync(cert, 'no certificate')
  await eventually(() => {
    expect(controller.log.some(({ level }) => level === 'error')).toBe(true)
    return Promise.resolve()
  }, 30)
  await injects('third')
  await cluster.kubectl(['delete', 'clusterrole', home])
  rmSync(folder, { recursive: true })
}, 240_000)
