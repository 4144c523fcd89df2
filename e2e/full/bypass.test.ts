import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import {
  type Api,
  type Client,
  manifest,
  model,
  RESTRICTED,
  serving,
  startClient,
  TOOLS,
} from '../support/full.ts'
import { guardedNamespace, install, installed } from '../support/installation.ts'

let cluster: Api
let namespace: string
let client: Client

beforeAll(async () => {
  cluster = await installed()
  namespace = await guardedNamespace(cluster, 'bypass')
  const labels = { 'postern.dev/inject': 'true' }
  await cluster.apply(model({ name: 'beside', namespace, labels }))
  await cluster.apply(
    model({ name: 'loopback', namespace, labels, annotations: { 'postern.dev/bind': 'env:HOST' } }),
  )
  client = await startClient(await cluster.namespace('outsider'))
  await serving(cluster, client, { namespace, name: 'beside' })
  await serving(cluster, client, { namespace, name: 'loopback' })
}, 300_000)

const addressOf = (app: string): Promise<string> =>
  cluster.kubectl([
    '-n',
    namespace,
    'get',
    'pods',
    '-l',
    `app=${app}`,
    '-o',
    'jsonpath={.items[0].status.podIP}',
  ])

test('from another pod the model beside its guard is out of reach: only the port of the guard is open', async () => {
  const ip = await addressOf('beside')
  expect(await client.reach(ip, 8080)).toBe('open')
  await eventually(async () => expect(await client.reach(ip, 8000)).not.toBe('open'), 30)
  expect(await client.reach(ip, 8081)).not.toBe('open')
  expect(await client.chat({ url: `http://${ip}:8000`, text: 'hello' })).toMatchObject({ status: 0 })
})

test('where the guard took the port of the model, the address of the pod leads to the guard', async () => {
  const ip = await addressOf('loopback')
  expect(await client.chat({ url: `http://${ip}:8000`, text: 'hello' })).toMatchObject({ status: 401 })
  expect(await client.chat({ url: `http://loopback.${namespace}`, text: 'hello' })).toMatchObject({
    status: 401,
  })
  expect(await client.reach(ip, 8081)).not.toBe('open')
})

const container = {
  name: 'model',
  image: TOOLS,
  imagePullPolicy: 'Never',
  args: ['model.ts'],
  securityContext: RESTRICTED.container,
}
const pod = (name: string, labels: Readonly<Record<string, string>>, spec: object): string =>
  manifest({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { securityContext: RESTRICTED.pod, containers: [container], ...spec },
  })

test('a pod with a guard of its own making is refused, or gets the real one', async () => {
  const fake = { ...container, name: 'postern', restartPolicy: 'Always' }
  const labels = { 'postern.dev/injected': 'true', 'postern.dev/guard-port': '8080' }
  await expect(cluster.apply(pod('fake', labels, { initContainers: [fake] }))).rejects.toThrow(/guard/)
  await cluster.apply(
    pod(
      'replaced',
      { ...labels, 'postern.dev/inject': 'true' },
      {
        containers: [{ ...container, ports: [{ name: 'http', containerPort: 8000 }] }],
        initContainers: [fake],
      },
    ),
  )
  const image = await cluster.kubectl([
    ...['-n', namespace, 'get', 'pod', 'replaced', '-o'],
    'jsonpath={.spec.initContainers[?(@.name=="postern")].image}',
  ])
  expect(image).toBe('postern.local/postern:e2e')
})

test('the labels and the trust that protection rests on cannot be changed by who owns the namespace', async () => {
  const [name = ''] = (
    await cluster.kubectl([
      '-n',
      namespace,
      'get',
      'pods',
      '-l',
      'app=beside',
      '-o',
      'jsonpath={.items[*].metadata.name}',
    ])
  ).split(' ')
  await expect(
    cluster.kubectl(['-n', namespace, 'label', 'pod', name, 'postern.dev/guard-port-']),
  ).rejects.toThrow()
  await expect(cluster.kubectl(['-n', namespace, 'delete', 'networkpolicy', '--all'])).rejects.toThrow()
  await expect(cluster.kubectl(['-n', namespace, 'delete', 'configmap', 'postern-trust'])).rejects.toThrow()
})

describe('with the webhook configuration deleted', () => {
  beforeAll(async () => {
    await cluster.kubectl(['delete', 'mutatingwebhookconfiguration', 'postern'])
  })
  afterAll(() => install(), 300_000)

  test('a labelled pod gets no guard, and therefore is refused', async () => {
    await expect(cluster.apply(pod('labelled', { 'postern.dev/inject': 'true' }, {}))).rejects.toThrow(
      /no guard/,
    )
    await expect(cluster.apply(pod('unlabelled', {}, {}))).rejects.toThrow(/no guard/)
  })
})
