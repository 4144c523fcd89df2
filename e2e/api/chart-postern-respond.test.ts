import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { modelPod, release, type Release } from './chart-release.ts'

let cluster: Release
let plain: string

beforeAll(async () => {
  cluster = await release()
  plain = await cluster.namespace('plain')
  await cluster.install({ respond: { enabled: true, secret: 'respond' }, injection: { by: 'policy' } })
  const pod = modelPod(plain, ({ metadata }) => (metadata!.labels = { app: 'model' }))
  await cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod))
})

afterAll(() => cluster.end())

const patch = (change: object): Promise<string> =>
  cluster.kubectl([
    ...['-n', plain, 'patch', 'pod', 'model', '--type=strategic', cluster.asController],
    ...['--patch', JSON.stringify(change)],
  ])

const configMap = (name: string): Promise<string> =>
  cluster.kubectl(['-n', cluster.home, 'create', 'configmap', name, cluster.asController])

test('the controller may set and remove the label of a quarantine', async () => {
  await patch({ metadata: { labels: { 'postern.dev/quarantine': 'true' } } })
  await patch({ metadata: { labels: { 'postern.dev/quarantine': null } } })
})

test.each([
  ['another label', { metadata: { labels: { app: 'other' } } }],
  ['no other label', { metadata: { labels: { app: null } } }],
  ['an annotation', { metadata: { annotations: { 'postern.dev/status': 'x' } } }],
  ['an image', { spec: { containers: [{ name: 'server', image: 'example.invalid/other:1' }] } }],
])('it may change nothing else of a pod: %s', async (_, change) => {
  await expect(patch(change)).rejects.toThrow(
    'changes the label postern.dev/quarantine of pods, nothing else',
  )
})

test("the label of a guarded pod is the controller's alone", async () => {
  await eventually(() => cluster.kubectl(['create', '-f', '-'], JSON.stringify(modelPod(cluster.models))), 30)
  const label = (...more: readonly string[]): Promise<string> =>
    cluster.kubectl(['-n', cluster.models, 'label', 'pod', 'model', '--overwrite', ...more])
  await label('postern.dev/quarantine=true', cluster.asController)
  await expect(label('postern.dev/quarantine-')).rejects.toThrow(/postern.dev/)
  await label('postern.dev/quarantine-', cluster.asController)
  await expect(label('postern.dev/quarantine=true')).rejects.toThrow(/postern.dev/)
})

test('it keeps the orders, and makes no other ConfigMap', async () => {
  await configMap('postern-responses')
  await expect(configMap('other')).rejects.toThrow(/nothing else/)
})

test('its NetworkPolicy for quarantined pods is its own', async () => {
  const policy = (who: readonly string[]): Promise<string> =>
    cluster.kubectl(
      ['apply', '--server-side', '--field-manager=postern-controller', '-f', '-', ...who],
      `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: postern-guard-quarantine, namespace: ${plain}}, spec: {podSelector: {}}}`,
    )
  await expect(policy([])).rejects.toThrow(/only the Postern controller writes/)
  await policy([cluster.asController])
})
