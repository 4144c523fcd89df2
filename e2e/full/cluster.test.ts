import { expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { api } from '../support/api.ts'
import { manifest, model, serving, startClient } from '../support/full.ts'

test('a model that nobody guards answers a real client by its DNS name, and NetworkPolicy can close it', async () => {
  const cluster = await api()
  const namespace = await cluster.namespace('plain')
  await cluster.apply(model({ name: 'model', namespace }))
  const client = await startClient(namespace)
  await serving(cluster, client, { namespace, name: 'model' })
  expect(
    await client.chat({ url: `http://model.${namespace}.svc.cluster.local`, text: 'hello there' }),
  ).toMatchObject({
    status: 200,
    text: 'You said: hello there',
    finish: 'stop',
  })
  expect(await client.chat({ url: 'http://model', text: 'hello there', stream: true })).toMatchObject({
    text: 'You said: hello there',
  })
  expect(await client.reach('model', 80)).toBe('open')
  await cluster.apply(
    manifest({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'closed', namespace },
      spec: { podSelector: { matchLabels: { app: 'model' } }, policyTypes: ['Ingress'] },
    }),
  )
  await eventually(async () => expect(await client.reach('model', 80)).not.toBe('open'), 20)
})
