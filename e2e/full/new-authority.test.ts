import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../cluster/processes.ts'
import { authority, clientCertificate, generations } from '../support/authority.ts'
import { type Api, type Client, model, rolledOut, serving, startClient } from '../support/full.ts'
import { install, RELEASE } from '../support/installation.ts'
import { whileStreaming } from '../support/streams.ts'

let cluster: Api
let namespace: string
let client: Client

/** Longer than a kubelet takes to bring a ConfigMap to its pods, and a guard to ask for a certificate after that. */
const SETTLE_SECONDS = 150

const nameOf = ({ certificate }: { readonly certificate: string }): string =>
  new X509Certificate(certificate).subject

/** `CN=...` of who signed what is served. */
const signerOf = async (name: string): Promise<string> => {
  const [, signer] = (await client.run('certificate.ts', [`${name}.${namespace}`, '80'])).trim().split(' ')
  return `CN=${signer}`
}

beforeAll(async () => {
  cluster = await install({ certificates: { settleSeconds: SETTLE_SECONDS } })
  namespace = await cluster.namespace('authority')
  for (const [name, profile] of [
    ['model', 'mtls'],
    ['strict', 'certificates'],
  ] as const) {
    const annotations = { 'postern.dev/profile': profile }
    const labels = { 'postern.dev/inject': 'true' }
    await cluster.apply(model({ name, namespace, labels, annotations, paceMs: 100 }))
  }
  client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
  await serving(cluster, client, { namespace, name: 'strict' })
  await eventually(() => signerOf('model'), 60)
}, 300_000)

afterAll(() => install(), 300_000)

test('when a CA is replaced and retired, the new one signs everything, the old one opens nothing, and no stream is lost', async () => {
  const old = await authority(cluster)
  const id = `spiffe://cluster.local/ns/${namespace}/sa/batch`
  const withOld = await clientCertificate(old, id)
  const ask = async (identity: object): Promise<unknown> => {
    const question = { url: `https://strict.${namespace}:80`, text: 'hello there', ...identity }
    return (JSON.parse(await client.run('mutual.ts', [], JSON.stringify(question))) as { status: number })
      .status
  }
  expect(await ask(withOld)).toBe(200)

  const stream = {
    url: `https://model.${namespace}:80`,
    token: await client.token(),
    streams: 20,
    pieces: 50,
  }
  /** In windows: one kubectl exec for all of these minutes would not outlive a busy machine. */
  const streamUntil = async (done: () => Promise<boolean>): Promise<void> => {
    do {
      const tally = await whileStreaming(client, stream, () => sleep(30_000))
      expect(tally).toEqual({ whole: expect.any(Number), cut: 0, refused: 0, problems: {} })
    } while (!(await done()))
  }
  const asked = ['postern.dev/rotate=now', 'postern.dev/retire=old']
  await cluster.kubectl(['-n', RELEASE, 'annotate', 'secret', `${RELEASE}-ca`, ...asked])
  await eventually(async () => expect(await generations(cluster)).toHaveLength(2), 60, 2000)
  await streamUntil(async () => (await generations(cluster)).length === 1)
  // By then all have what the new one signed: nothing is lost when the old one goes.
  expect(await signerOf('model')).toBe(nameOf(await authority(cluster)).split('\n')[0])
  await streamUntil(async () => (await ask(withOld)) === 0)

  const next = await authority(cluster)
  expect(nameOf(next)).not.toBe(nameOf(old))
  expect(await ask(await clientCertificate(next, id))).toBe(200)
  // Webhook, certificate and policy bundle of a new pod, all by what is trusted now.
  await cluster.kubectl(['-n', namespace, 'rollout', 'restart', 'deployment/model'])
  await rolledOut(cluster, namespace, 'model')
  await eventually(async () => expect(await signerOf('model')).toBe(nameOf(next).split('\n')[0]), 60)
}, 900_000)
