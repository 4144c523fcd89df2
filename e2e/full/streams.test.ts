import { beforeAll, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../cluster/processes.ts'
import { type Api, type Client, model, rolledOut, serving, startClient } from '../support/full.ts'
import { install, installed, RELEASE } from '../support/installation.ts'
import { whileStreaming, type Tally } from '../support/streams.ts'

let cluster: Api
let namespace: string
let client: Client

/** Which certificate the guard serves, once the client trusts it. */
const served = (): Promise<string> => client.run('certificate.ts', [`model.${namespace}`, '80'])

beforeAll(async () => {
  cluster = await installed()
  namespace = await cluster.namespace('streams')
  await cluster.apply(
    model({
      name: 'model',
      namespace,
      labels: { 'postern.dev/inject': 'true' },
      annotations: { 'postern.dev/profile': 'mtls' },
      paceMs: 100,
    }),
  )
  client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
  await eventually(served, 60)
}, 300_000)

const STREAMS = 100

const during = async (change: () => Promise<void>): Promise<Tally> =>
  whileStreaming(
    client,
    { url: `https://model.${namespace}:80`, token: await client.token(), streams: STREAMS, pieces: 50 },
    async () => {
      await change()
      await sleep(8000) // longer than a stream: some begin after the change
    },
  )

const expectNoneLost = (tally: Tally): void => {
  expect(tally).toEqual({ whole: expect.any(Number), cut: 0, refused: 0, problems: {} })
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

test('a hundred streams survive a rotation of the CA and of the certificate that the guard serves', async () => {
  const before = await served()
  expectNoneLost(
    await during(async () => {
      await cluster.kubectl(['-n', RELEASE, 'annotate', 'secret', 'postern-ca', 'postern.dev/rotate=now'])
      await eventually(async () => expect(await served()).not.toBe(before), 240, 2000)
    }),
  )
}, 420_000)

test('a hundred streams survive an upgrade of the release', async () => {
  expectNoneLost(
    await during(async () => {
      await install({ image: { tag: 'e2e-next' } })
    }),
  )
  await install()
}, 600_000)
