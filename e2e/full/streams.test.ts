import { beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { type Api, type Client, model, rolledOut, startClient } from '../support/full.ts'
import { install, installed, RELEASE } from '../support/installation.ts'
import { whileStreaming, type Tally } from '../support/streams.ts'

let cluster: Api
let namespace: string
let client: Client

beforeAll(async () => {
  cluster = await installed()
  namespace = await cluster.namespace('streams')
  await cluster.apply(
    model({ name: 'model', namespace, labels: { 'postern.dev/inject': 'true' }, paceMs: 100 }),
  )
  client = await startClient(namespace)
  await rolledOut(cluster, namespace, 'model')
}, 300_000)

const STREAMS = 100

const during = async (change: () => Promise<void>): Promise<Tally> =>
  whileStreaming(
    client,
    { url: `http://model.${namespace}`, token: await client.token(), streams: STREAMS, pieces: 50 },
    change,
  )

const expectNoneLost = (tally: Tally): void => {
  expect(tally).toMatchObject({ cut: 0, refused: 0, problems: {} })
  expect(tally.whole).toBeGreaterThan(STREAMS)
}

test('a hundred streams survive a rolling update of the model and its guard, none cut and none refused', async () => {
  expectNoneLost(
    await during(async () => {
      await cluster.kubectl(['-n', namespace, 'rollout', 'restart', 'deployment/model'])
      await rolledOut(cluster, namespace, 'model')
      await eventually(async () => {
        const pods = await cluster.kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=model', '-o', 'name'])
        expect(pods.trim().split('\n')).toHaveLength(1)
      }, 60)
    }),
  )
}, 240_000)

const trust = (): Promise<string> =>
  cluster.kubectl([
    '-n',
    namespace,
    'get',
    'configmap',
    'postern-trust',
    '-o',
    String.raw`jsonpath={.data.ca\.crt}`,
  ])

test('a hundred streams survive a rotation of the CA and of the certificates that it signed', async () => {
  const before = await trust()
  expectNoneLost(
    await during(async () => {
      await cluster.kubectl(['-n', RELEASE, 'annotate', 'secret', 'postern-ca', 'postern.dev/rotate=now'])
      await eventually(async () => expect(await trust()).not.toBe(before), 90)
    }),
  )
}, 240_000)

test('a hundred streams survive an upgrade of the release', async () => {
  expectNoneLost(
    await during(async () => {
      await install({ image: { tag: 'e2e-next' } })
    }),
  )
  await install()
}, 600_000)
