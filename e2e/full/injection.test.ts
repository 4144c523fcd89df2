import { beforeAll, expect, test } from '@jest/globals'
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
import { guardedNamespace, installed } from '../support/installation.ts'

let cluster: Api
let namespace: string
let client: Client

beforeAll(async () => {
  cluster = await installed()
  namespace = await guardedNamespace(cluster, 'injection')
  client = await startClient(namespace, { 'postern.dev/exempt': 'true' })
}, 300_000)

const statusOf = async (name: string): Promise<Record<string, unknown>> => {
  const path = String.raw`jsonpath={.items[0].metadata.annotations.postern\.dev/status}`
  return JSON.parse(
    await cluster.kubectl(['-n', namespace, 'get', 'pods', '-l', `app=${name}`, '-o', path]),
  ) as Record<string, unknown>
}

test('a labelled deployment of an unknown model server gets its guard, and serves through its Service', async () => {
  await cluster.apply(model({ name: 'unknown', namespace, labels: { 'postern.dev/inject': 'true' } }))
  await serving(cluster, client, { namespace, name: 'unknown' })
  expect(await statusOf('unknown')).toMatchObject({
    mode: 'service',
    port: 8080,
    model: { container: 'model', port: 8000 },
  })
  const token = await client.token()
  expect(await client.chat({ url: `http://unknown.${namespace}`, token, text: 'hello there' })).toMatchObject(
    {
      status: 200,
      text: 'You said: hello there',
      finish: 'stop',
    },
  )
})

test('a model that takes its address from a variable moves to loopback, and the guard takes its port', async () => {
  const annotations = { 'postern.dev/bind': 'env:HOST' }
  await cluster.apply(
    model({ name: 'bound', namespace, labels: { 'postern.dev/inject': 'true' }, annotations }),
  )
  await serving(cluster, client, { namespace, name: 'bound' })
  expect(await statusOf('bound')).toMatchObject({ mode: 'takeover', port: 8000, model: { bind: 'env:HOST' } })
  const token = await client.token()
  expect(await client.chat({ url: `http://bound.${namespace}`, token, text: 'hello there' })).toMatchObject({
    status: 200,
  })
})

test('a pod without the label is refused in a guarded namespace, with a sentence that says what to do', async () => {
  const spec = {
    securityContext: RESTRICTED.pod,
    containers: [{ name: 'model', image: TOOLS, args: ['model.ts'], securityContext: RESTRICTED.container }],
  }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace }, spec }
  await expect(cluster.apply(manifest(pod))).rejects.toThrow(
    /this namespace is guarded and the pod has no guard/,
  )
})
