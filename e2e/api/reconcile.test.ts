import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { running, type Running, type Seen } from './reconcilers.ts'

let a: Running
let guarded: string
let labelled: string
beforeAll(async () => {
  a = await running()
  guarded = await a.namespace('guarded')
  labelled = await a.namespace('labelled')
}, 60_000)
afterAll(() => a.close())

const trust = (namespace: string): Promise<Seen | undefined> =>
  a.get('configmap', 'postern-trust', '-n', namespace)
const policy = (namespace: string, port = 8080): Promise<Seen | undefined> =>
  a.get('networkpolicy', `postern-guard-${port}`, '-n', namespace)

const pod = (
  name: string,
  namespace: string,
  more: { labels?: object; annotations?: object; guard?: boolean },
): Promise<string> =>
  a.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: more.labels ?? {}, annotations: more.annotations ?? {} },
      spec: {
        initContainers: more.guard ? [{ name: 'postern', image: 'postern:1', restartPolicy: 'Always' }] : [],
        containers: [{ name: 'model', image: 'model:1' }],
      },
    }),
  )
const marked = (port: number) => ({
  'postern.dev/injected': 'true',
  'postern.dev/guard-port': String(port),
  app: 'model',
})

test('a namespace that becomes guarded gets trust and the usual NetworkPolicy; no more, and they go again', async () => {
  expect(await trust(guarded)).toBeUndefined()
  await a.kubectl(['label', 'namespace', guarded, 'postern.dev/injection=enabled'])
  const found = await a.until(() => trust(guarded))
  expect(found.data).toEqual({ 'ca.crt': 'first CA\n', 'bundle.pub': a.publicKey() })
  expect(found.metadata.ownerReferences?.[0]?.name).toBe(a.owner)
  const closed = await a.until(() => a.get('networkpolicy', 'postern-guard-closed', '-n', guarded))
  expect(closed.spec).toEqual({
    podSelector: { matchExpressions: [{ key: 'postern.dev/guard-port', operator: 'Exists' }] },
    policyTypes: ['Ingress'],
  })
  expect((await a.until(() => policy(guarded))).spec).toEqual({
    podSelector: {
      matchLabels: { 'postern.dev/guard-port': '8080' },
      matchExpressions: [{ key: 'postern.dev/quarantine', operator: 'DoesNotExist' }],
    },
    policyTypes: ['Ingress'],
    ingress: [
      { ports: [{ protocol: 'TCP', port: 8080 }] },
      {
        ports: [{ protocol: 'TCP', port: 8081 }],
        from: [
          {
            namespaceSelector: {
              matchExpressions: [
                { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['monitoring'] },
              ],
            },
          },
        ],
      },
    ],
  })
  await a.kubectl(['label', 'namespace', guarded, 'postern.dev/injection-'])
  await a.until(async () => (await trust(guarded)) === undefined && (await policy(guarded)) === undefined)
  await a.kubectl(['label', 'namespace', guarded, 'postern.dev/injection=enabled'])
  await a.until(() => policy(guarded))
})

test('a guarded pod brings trust and its own port to a namespace that is not guarded', async () => {
  await pod('p', labelled, { labels: marked(9000), guard: true })
  await a.until(() => trust(labelled))
  await a.until(() => policy(labelled, 9000))
  expect(await policy(labelled, 8080)).toBeUndefined()
  await a.kubectl(['-n', labelled, 'delete', 'pod', 'p', '--force', '--grace-period=0'])
  await a.until(
    async () => (await policy(labelled, 9000)) === undefined && (await trust(labelled)) === undefined,
  )
})

test('what somebody edits, makes immutable or deletes is put back, and nothing is written without need', async () => {
  const name = 'postern-trust'
  await a.until(() => trust(guarded))
  const patches = ['{"data":{"ca.crt":"mine","more":"x"}}', '{"data":{"ca.crt":"mine"},"immutable":true}']
  for (const patch of patches) {
    await a.kubectl(['-n', guarded, 'patch', 'configmap', name, '--type=merge', '-p', patch])
    await a.until(async () => {
      const data = (await trust(guarded))?.data
      return data?.['ca.crt'] === 'first CA\n' && !('more' in data)
    })
  }
  const opened = '{"spec":{"ingress":[{}],"policyTypes":["Ingress","Egress"],"egress":[{}]}}'
  const args = ['networkpolicy', 'postern-guard-8080', '--type=merge', '-p', opened]
  await a.kubectl(['-n', guarded, 'patch', ...args])
  await a.until(async () => !JSON.stringify((await policy(guarded))?.spec).includes('egress'))
  const before = (await policy(guarded))?.metadata.uid
  await a.kubectl(['-n', guarded, 'delete', 'networkpolicy', 'postern-guard-8080'])
  const after = await a.until(() => policy(guarded))
  expect(after.metadata.uid).not.toBe(before)
  a.lead(true)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect((await policy(guarded))?.metadata.resourceVersion).toBe(after.metadata.resourceVersion)
})

test('a new CA is told to every namespace', async () => {
  a.rotate('first CA\nsecond CA\n')
  await a.until(async () => (await trust(guarded))?.data?.['ca.crt'] === 'first CA\nsecond CA\n')
  expect((await trust(guarded))?.data?.['bundle.pub']).toBe(a.publicKey())
})

test('a pod without a guard that was there before is told so, once; an exempt one is not', async () => {
  const namespace = await a.namespace('before')
  await pod('old', namespace, {})
  await pod('exempt', namespace, { labels: { 'postern.dev/exempt': 'true' } })
  await a.kubectl([
    'label',
    'namespace',
    namespace,
    'postern.dev/injection=enabled',
    'postern.dev/allow-exempt=true',
  ])
  const [said] = await a.until(async () => {
    const found = await a.events(namespace, 'old')
    return found.length > 0 && found
  })
  expect(said).toMatch(/^GuardMissing: This pod has no guard.*Replace it: make it again from its manifest$/)
  a.lead(true)
  expect(await a.events(namespace, 'exempt')).toEqual([])
  expect(await a.events(namespace, 'old')).toHaveLength(1)
})

test("a Service that sends to the model's closed port is told what to do", async () => {
  const status = JSON.stringify({
    mode: 'service',
    port: 8080,
    model: { container: 'model', port: 8000, bind: 'none' },
  })
  const annotations = { 'postern.dev/status': status }
  await pod('served', labelled, { labels: marked(8080), annotations, guard: true })
  const service = (name: string, targetPort: number | string): Promise<string> =>
    a.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace: labelled },
        spec: { selector: { app: 'model' }, ports: [{ port: 80, targetPort }] },
      }),
    )
  await service('by-name', 'http')
  await service('guarded', 8080)
  await service('direct', 8000)
  const [said] = await a.until(async () => {
    const found = await a.events(labelled, 'direct')
    return found.length > 0 && found
  })
  expect(said).toContain('ModelPortClosed: This Service sends to port 8000 of guarded pods')
  expect(said).toContain(`kubectl -n ${labelled} label service direct postern.dev/inject=true`)
  expect(await a.events(labelled, 'guarded')).toEqual([])
  expect(await a.events(labelled, 'by-name')).toEqual([])
})

test('what another release keeps is left to it, and the log says so', async () => {
  const namespace = await a.namespace('other')
  const name = `${namespace}-controller`
  await a.kubectl(['create', 'clusterrole', name, '--verb=get', '--resource=pods'])
  const uid = await a.kubectl(['get', 'clusterrole', name, '-o', 'jsonpath={.metadata.uid}'])
  const owner = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name, uid }
  const labels = { 'app.kubernetes.io/managed-by': 'postern-controller' }
  const metadata = { name: 'postern-trust', namespace, labels, ownerReferences: [owner] }
  await a.apply(
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': 'theirs' } }),
  )
  await a.kubectl(['label', 'namespace', namespace, 'postern.dev/injection=enabled'])
  await a.until(() => policy(namespace))
  await a.until(() => Promise.resolve(a.log.some((line) => line.includes(`is kept by another release`))))
  expect((await trust(namespace))?.data).toEqual({ 'ca.crt': 'theirs' })
  await a.kubectl(['delete', 'clusterrole', name])
  await a.kubectl(['label', 'namespace', namespace, 'postern.dev/injection-'])
})

test('with its owner everything goes, and nothing is made again', async () => {
  await a.until(() => policy(guarded))
  await a.kubectl(['delete', 'clusterrole', a.owner])
  await a.until(
    async () =>
      (await policy(guarded)) === undefined &&
      (await trust(guarded)) === undefined &&
      (await a.get('configmap', 'postern-bundle', '-n', a.home)) === undefined,
  )
  await new Promise((resolve) => setTimeout(resolve, 2000))
  expect(await policy(guarded)).toBeUndefined()
}, 60_000)
