import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { type Api, type Client, manifest, model, serving, startClient } from '../support/full.ts'
import { installed, RELEASE } from '../support/installation.ts'

let cluster: Api
let namespace: string
let client: Client

beforeAll(async () => {
  cluster = await installed()
  namespace = await cluster.namespace('policies')
  await cluster.apply(model({ name: 'model', namespace, labels: { 'postern.dev/inject': 'true' } }))
  client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
}, 300_000)

const NAME = 'e2e-policies'
const remove = (): Promise<string> =>
  cluster.kubectl(['-n', RELEASE, 'delete', 'configmap', NAME, '--ignore-not-found'])
afterAll(remove)

const ask = async () =>
  client.chat({ url: `http://model.${namespace}`, token: await client.token(), text: 'hello there' })

const data = (text: string): string =>
  manifest({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: NAME, namespace: RELEASE, labels: { 'openpolicyagent.org/data': 'opa' } },
    data: { 'tenants.json': text },
  })

const status = (): Promise<string> => {
  const path = String.raw`jsonpath={.metadata.annotations.openpolicyagent\.org/kube-mgmt-status}`
  return cluster.kubectl(['-n', RELEASE, 'get', 'configmap', NAME, '-o', path])
}

const until = (expected: number): Promise<void> =>
  eventually(async () => expect((await ask()).status).toBe(expected), 90)

test('a ConfigMap with data changes what running guards allow, and taking it away changes it back', async () => {
  expect((await ask()).status).toBe(200)
  await cluster.apply(data(JSON.stringify({ tenants: { [namespace]: { models: ['another-model'] } } })))
  await until(403)
  expect(JSON.parse(await status())).toMatchObject({ status: 'ok' })
  await remove()
  await until(200)
}, 240_000)

test('a mistake is told on the ConfigMap, and the guards keep what they had', async () => {
  await cluster.apply(data('{"tenants": 7}'))
  await eventually(async () => expect(JSON.parse(await status())).toMatchObject({ status: 'error' }), 60)
  expect((await ask()).status).toBe(200)
})
