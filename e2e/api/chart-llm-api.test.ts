import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { api, type Api } from '../support/api.ts'
import { release } from '../support/chart-release.ts'
import { eventually } from '../cluster/processes.ts'

const restricted = async (cluster: Api, prefix: string): Promise<string> => {
  const namespace = await cluster.namespace(prefix)
  await cluster.kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  return namespace
}

/** Made by the controllers, so after some time. */
const pods = async ({ kubectl }: Api, namespace: string): Promise<readonly string[]> => {
  const found = await kubectl(['--namespace', namespace, 'get', 'pods', '--output=name'])
  if (found === '') throw new Error('no pod yet')
  return found.trim().split('\n')
}

const keyOf = ({ kubectl }: Api, namespace: string): Promise<string> =>
  kubectl([
    '--namespace',
    namespace,
    'get',
    'secret',
    'chat-llm-api-api-key',
    '--output=jsonpath={.data.key}',
  ])

const checksum = ({ kubectl }: Api, namespace: string): Promise<string> =>
  kubectl([
    ...['--namespace', namespace, 'get', 'deployment', 'chat-llm-api'],
    String.raw`--output=jsonpath={.spec.template.metadata.annotations.checksum/guard}`,
  ])

test('llm-api installs where only restricted pods may be, keeps its key over upgrade and rollback, and leaves nothing', async () => {
  const cluster = await api()
  const namespace = await restricted(cluster, 'llm-api')
  const chat = release(cluster, 'llm-api', { name: 'chat', namespace })
  await chat.install()
  await eventually(() => pods(cluster, namespace), 30)
  const [key, first] = [await keyOf(cluster, namespace), await checksum(cluster, namespace)]
  expect(Buffer.from(key, 'base64').toString()).toMatch(/^pk-[0-9A-Za-z]{38}$/)

  await chat.upgrade({ 'guard.logLevel': 'debug', 'autoscaling.kind': 'hpa', 'cache.kind': 'emptyDir' })
  expect(await keyOf(cluster, namespace)).toBe(key)
  expect(await checksum(cluster, namespace)).not.toBe(first)
  expect(await chat.objects()).toContain('horizontalpodautoscaler.autoscaling/chat-llm-api')

  await chat.rollback(1)
  expect(await keyOf(cluster, namespace)).toBe(key)
  expect(await checksum(cluster, namespace)).toBe(first)
  expect(await chat.objects()).not.toContain('horizontalpodautoscaler.autoscaling/chat-llm-api')

  await chat.uninstall()
  await eventually(async () => expect(await chat.objects()).toEqual([]), 30)
})

test.each([
  [
    'everything at once',
    {
      'demo.enabled': false,
      'model.image.repository': 'example.invalid/vllm',
      'model.image.tag': '1',
      'model.sharedMemory.enabled': true,
      'model.resources': {
        requests: { cpu: '1', memory: '1Gi' },
        limits: { memory: '1Gi', 'nvidia.com/gpu': 1 },
      },
      'cache.kind': 'pvc',
      'download.enabled': true,
      'download.image': 'example.invalid/fetch:1',
      'guard.modelMetricsPath': '/metrics',
      'networkPolicy.registry.enabled': true,
      'networkPolicy.clients': [{ podSelector: { matchLabels: { app: 'chat' } } }],
      'pod.tolerations': [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
    },
  ],
  [
    'weights that are verified',
    {
      'model.verify.enabled': true,
      'model.verify.folder': 'support',
      'model.verify.publicKey.configMap': 'model-signers',
      'cache.kind': 'existing',
      'cache.existingClaim': 'models',
    },
  ],
  ['an injected guard', { 'guard.mode': 'injected', 'guard.secret': 'model-key' }],
  ['the same port', { 'guard.port': 8000, 'guard.identity.kind': 'anonymous' }],
])('the API server takes llm-api with %s', async (_, values) => {
  const cluster = await api()
  const namespace = await restricted(cluster, 'llm-api')
  const chat = release(cluster, 'llm-api', { name: 'chat', namespace })
  await chat.install(values)
  await eventually(() => pods(cluster, namespace), 30)
  await chat.uninstall()
  const own = 'cache.kind' in values && values['cache.kind'] === 'pvc'
  const claim = own ? ['persistentvolumeclaim/chat-llm-api-cache'] : []
  // Weights take hours to download again, so a claim is kept.
  await eventually(async () => expect(await chat.objects()).toEqual(claim), 30)
})

test('the example of a verified model for any Deployment makes pods where only restricted ones may be', async () => {
  const cluster = await api()
  const namespace = await restricted(cluster, 'verified')
  const example = readFileSync(join(import.meta.dirname, '../../charts/examples/verified.yaml'), 'utf8')
  const said = await cluster.apply(example.replaceAll('namespace: chat', `namespace: ${namespace}`))
  expect(said).not.toMatch(/Warning/i)
  expect(await eventually(() => pods(cluster, namespace), 30)).toHaveLength(1)
  await cluster.kubectl(['delete', 'namespace', namespace, '--wait=false'])
})

test('a model server that is root is not started where only restricted pods may be', async () => {
  const cluster = await api()
  const namespace = await restricted(cluster, 'llm-api')
  const chat = release(cluster, 'llm-api', { name: 'chat', namespace })
  await chat.install({ 'pod.securityContext': { runAsUser: 0, runAsNonRoot: false } })
  await eventually(async () => {
    const events = await cluster.kubectl([
      '--namespace',
      namespace,
      'get',
      'events',
      '--output=jsonpath={.items[*].message}',
    ])
    expect(events).toMatch(/violates PodSecurity "restricted/)
  }, 30)
  await chat.uninstall()
})
