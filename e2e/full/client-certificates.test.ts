import { beforeAll, expect, test } from '@jest/globals'
import { newAuthority } from '../../proxy/src/controller/pki/x509.ts'
import { eventually } from '../cluster/processes.ts'
import { authority, clientCertificate } from '../support/authority.ts'
import { type Api, type Client, model, serving, startClient } from '../support/full.ts'
import { installed } from '../support/installation.ts'

let cluster: Api
let namespace: string
let client: Client

beforeAll(async () => {
  cluster = await installed()
  namespace = await cluster.namespace('certificates')
  const annotations = { 'postern.dev/profile': 'certificates' }
  await cluster.apply(
    model({ name: 'model', namespace, labels: { 'postern.dev/inject': 'true' }, annotations }),
  )
  client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
  await eventually(() => client.run('certificate.ts', [`model.${namespace}`, '80']), 60)
}, 300_000)

interface Answered {
  /** 0: there was no answer. */
  readonly status: number
  readonly body?: string
  readonly error?: string
}

const ask = async (more: object): Promise<Answered> => {
  const question = { url: `https://model.${namespace}:80`, text: 'hello there', ...more }
  return JSON.parse(await client.run('mutual.ts', [], JSON.stringify(question))) as Answered
}

const records = async (): Promise<readonly { readonly caller?: object | null }[]> => {
  const log = await cluster.kubectl([
    '-n',
    namespace,
    'logs',
    'deployment/model',
    '-c',
    'postern',
    '--tail=200',
  ])
  return log
    .split('\n')
    .filter((line) => line.includes('"type":"exchange"'))
    .map((line) => JSON.parse(line) as { readonly caller?: object | null })
}

test("a client with a certificate of the controller's CA is let in, and named by its SPIFFE ID", async () => {
  const id = `spiffe://cluster.local/ns/${namespace}/sa/batch`
  const answer = await ask(await clientCertificate(await authority(cluster), id))
  expect(answer).toMatchObject({ status: 200 })
  expect(answer.body).toContain('You said: hello there')
  expect((await records()).at(-1)?.caller).toMatchObject({
    subject: id,
    tenant: namespace,
    roles: ['service'],
  })
})

test('without a certificate, with one of another CA or of another trust domain nobody is let in, token or not', async () => {
  const before = (await records()).length
  const token = await client.token()
  expect(await ask({})).toMatchObject({ status: 0 })
  expect(await ask({ token })).toMatchObject({ status: 0 })
  const id = `spiffe://cluster.local/ns/${namespace}/sa/batch`
  const hour = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) }
  const other = await newAuthority({ trustDomain: 'cluster.local', ...hour })
  expect(await ask(await clientCertificate(other, id))).toMatchObject({ status: 0 })
  const stranger = await clientCertificate(await authority(cluster), 'spiffe://elsewhere.example/ns/a/sa/b')
  expect(await ask(stranger)).toMatchObject({ status: 401 })
  // Only the last one came as far as the guard's own words.
  expect((await records()).length).toBeLessThanOrEqual(before + 1)
})

test('a plain connection to that guard gets no answer', async () => {
  expect(await client.chat({ url: `http://model.${namespace}`, text: 'hello' })).not.toMatchObject({
    status: 200,
  })
})
