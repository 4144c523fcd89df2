import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Api, model, serving, startClient } from '../support/full.ts'
import { install, uninstall } from '../support/installation.ts'

let cluster: Api

beforeAll(async () => {
  await uninstall()
  cluster = await install({ injection: { by: 'policy' } })
}, 240_000)

afterAll(uninstall, 120_000)

test('without a webhook the API server itself adds the guard, and the Service leads to it', async () => {
  const namespace = await cluster.namespace('policy')
  await cluster.apply(model({ name: 'model', namespace, labels: { 'postern.dev/inject': 'true' } }))
  const client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
  const url = `http://model.${namespace}`
  expect(await client.chat({ url, token: await client.token(), text: 'hello there' })).toMatchObject({
    status: 200,
    text: 'You said: hello there',
  })
  expect(await client.chat({ url, text: 'hello there' })).toMatchObject({ status: 401 })
})
