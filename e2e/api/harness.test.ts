import { expect, test } from '@jest/globals'
import { api } from '../support/api.ts'

test('the API server is the real one, and a fresh namespace takes objects', async () => {
  const { kubectl, namespace, apply } = await api()
  expect(await kubectl(['version'])).toMatch(/Server Version: v1\.36\./)
  const name = await namespace('harness')
  await apply(`{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: ${name}}, data: {a: b}}`)
  expect(await kubectl(['-n', name, 'get', 'configmap', 'one', '-o', 'jsonpath={.data.a}'])).toBe('b')
})

test('what the API server refuses is an error with its words', async () => {
  const { apply, namespace } = await api()
  const name = await namespace('harness')
  await expect(
    apply(`{apiVersion: v1, kind: Pod, metadata: {name: empty, namespace: ${name}}, spec: {containers: []}}`),
  ).rejects.toThrow(/spec\.containers/)
})

test('the controllers run: a Deployment becomes a pod, which stays pending', async () => {
  const { kubectl, namespace } = await api()
  const name = await namespace('harness')
  await kubectl(['-n', name, 'create', 'deployment', 'web', '--image', 'example.invalid/none:1'])
  await kubectl([
    '-n',
    name,
    'wait',
    '--for=jsonpath={.status.unavailableReplicas}=1',
    'deployment/web',
    '--timeout=20s',
  ])
  expect(await kubectl(['-n', name, 'get', 'pods', '-o', 'jsonpath={.items[*].status.phase}'])).toBe(
    'Pending',
  )
})
