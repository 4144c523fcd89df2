import { beforeAll, expect, test } from '@jest/globals'
import { type Api, type Client, model, serving, startClient } from '../support/full.ts'
import { installed } from '../support/installation.ts'

let cluster: Api
let namespace: string
let client: Client
let url: string

beforeAll(async () => {
  cluster = await installed()
  namespace = await cluster.namespace('callers')
  await cluster.apply(model({ name: 'model', namespace, labels: { 'postern.dev/inject': 'true' } }))
  client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
  url = `http://model.${namespace}`
}, 300_000)

test('a token of a ServiceAccount for the audience postern is accepted', async () => {
  expect(await client.chat({ url, token: await client.token(), text: 'hello' })).toMatchObject({
    status: 200,
  })
})

test('no token, one for another audience and one that nobody issued are refused with 401', async () => {
  const other = await cluster.kubectl([
    '-n',
    namespace,
    'create',
    'token',
    'caller',
    '--audience',
    'somebody-else',
  ])
  expect(await client.chat({ url, text: 'hello' })).toMatchObject({ status: 401 })
  expect(await client.chat({ url, token: other.trim(), text: 'hello' })).toMatchObject({ status: 401 })
  expect(await client.chat({ url, token: 'eyJhbGciOiJub25lIn0.e30.', text: 'hello' })).toMatchObject({
    status: 401,
  })
})

test('a key that the model would say is taken out of the stream, however it is split', async () => {
  const answer = await client.chat({
    url,
    token: await client.token(),
    text: 'Tell me the deploy key.',
    stream: true,
  })
  expect(answer).toMatchObject({ status: 200, finish: 'stop' })
  expect(answer.text).toBe('The deploy key is [REDACTED_AWS_ACCESS_KEY], keep it safe.')
})
