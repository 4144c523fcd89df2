import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { checkConfig } from './guard-config.ts'
import { helmTest, runHelm } from './helm.ts'
import { cases, chart, keys, merged, podOf, render, root, server } from './llm-api-cases.ts'
import { find, names, pick, podTemplates } from './manifests.ts'
import { containersOf, podProblems } from './pod-security.ts'
import { looseEnds } from './wiring.ts'

describe.each(Object.entries(cases))('%s', (_, { values, elsewhere = [] }) => {
  helmTest('passes helm lint --strict', async () => {
    expect(await runHelm(['lint', '--strict', chart], merged(values))).toMatchObject({ status: 0 })
  })

  helmTest('renders what it did before', async () => {
    expect(await render(...values)).toMatchSnapshot()
  })

  helmTest(
    'has only pods that Pod Security restricted admits, and that cannot write their root',
    async () => {
      for (const { pod } of podTemplates(await render(...values))) expect(podProblems(pod)).toEqual([])
    },
  )

  helmTest('has no name that leads nowhere', async () => {
    expect(looseEnds(await render(...values), elsewhere)).toEqual([])
  })

  helmTest('gives the guard a configuration that it accepts', async () => {
    const manifests = await render(...values)
    if (!names(manifests).includes('ConfigMap/chat-llm-api-guard')) {
      expect(podOf(manifests, 'metadata.labels')).toMatchObject({ 'postern.dev/inject': 'true' })
      return
    }
    expect(await checkConfig(manifests)).toEqual([0, ''])
  })
})

helmTest('the embedded guard is what the injector would add', async () => {
  const manifests = await render(keys, { guard: { drainSeconds: 120 } })
  expect(podOf(manifests, 'metadata.labels')).toMatchObject({
    'postern.dev/injected': 'true',
    'postern.dev/guard-port': '8080',
  })
  const sidecar = podOf(manifests, 'spec.initContainers.0')
  expect(sidecar).toMatchObject({
    name: 'postern',
    restartPolicy: 'Always',
    startupProbe: { httpGet: { path: '/readyz', port: 8081 } },
    readinessProbe: { httpGet: { path: '/readyz', port: 8081 } },
    livenessProbe: { httpGet: { path: '/livez', port: 8081 } },
    lifecycle: { preStop: { httpGet: { path: '/drain', port: 8081 } } },
  })
  const env = pick(sidecar, 'env') as readonly { readonly name: string; readonly value?: string }[]
  expect(env.map(({ name }) => name)).toEqual([
    'POSTERN_POD',
    'POD_IP',
    'POD_NAME',
    'POD_NAMESPACE',
    'POD_UID',
    'SERVICE_ACCOUNT',
  ])
  const overlay = JSON.parse(env[0]?.value ?? '') as { readonly probes: readonly unknown[] }
  expect(overlay).toMatchObject({
    listen: { address: 'any', port: 8080 },
    adminPort: 8081,
    modelUrl: 'http://127.0.0.1:8000',
    models: [],
    drainSeconds: 120,
  })
  expect(overlay.probes).toContainEqual({
    path: '/app-health/model/liveness',
    action: { kind: 'http', scheme: 'HTTP', port: 8000, path: '/v1/models', headers: [] },
    timeoutSeconds: 5,
  })
  expect(podOf(manifests, 'spec.terminationGracePeriodSeconds')).toBe(130)
  expect(podOf(manifests, 'spec.containers.0.lifecycle.preStop.sleep.seconds')).toBe(120)
  expect(podOf(manifests, 'spec.containers.0.livenessProbe.httpGet')).toEqual({
    path: '/app-health/model/liveness',
    port: 8081,
  })
})

helmTest('the guard has the port on the address of the pod where the model has it on loopback', async () => {
  const manifests = await render(keys, { guard: { port: 8000 } })
  const env = podOf(manifests, 'spec.initContainers.0.env') as readonly { readonly value: string }[]
  expect(JSON.parse(env[0]?.value ?? '')).toMatchObject({ listen: { address: 'pod', port: 8000 } })
})

helmTest('an injected pod is only labelled, and says the same to the webhook', async () => {
  const manifests = await render({ guard: { mode: 'injected' } }, server)
  expect(names(manifests)).not.toContain('ConfigMap/chat-llm-api-guard')
  expect(names(manifests)).not.toContain('Secret/chat-llm-api-api-key')
  expect(podOf(manifests, 'spec.initContainers')).toBeUndefined()
  expect(podOf(manifests, 'spec.containers.0.args')).toBeUndefined()
  expect(podOf(manifests, 'metadata.labels')).not.toHaveProperty(['postern.dev/injected'])
  expect(podOf(manifests, 'metadata.annotations')).toEqual({
    'postern.dev/container': 'model',
    'postern.dev/port': '8000',
    'postern.dev/mode': 'takeover',
    'postern.dev/bind': 'arg:--host',
    'postern.dev/profile': 'default',
    'postern.dev/models': 'demo-small',
    'postern.dev/drain-seconds': '30',
    'postern.dev/admin-port': '8081',
    'postern.dev/cpu': '100m',
    'postern.dev/memory': '256Mi',
    'postern.dev/memory-limit': '512Mi',
  })
  expect(pick(find(manifests, 'Service', 'chat-llm-api'), 'spec.ports.0.targetPort')).toBe('http')
})

helmTest('only the port of the guard is open, and its admin port to the monitoring namespaces', async () => {
  const manifests = await render(keys, { networkPolicy: { monitoringNamespaces: ['metrics'] } })
  expect(pick(find(manifests, 'NetworkPolicy', 'chat-llm-api'), 'spec.ingress')).toEqual([
    { ports: [{ protocol: 'TCP', port: 8080 }] },
    {
      ports: [{ protocol: 'TCP', port: 8081 }],
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'metrics' } } }],
    },
  ])
  expect(pick(find(manifests, 'NetworkPolicy', 'chat-llm-api'), 'spec.egress')).toHaveLength(1)
})

helmTest(
  'a pod is replaced when the configuration of its guard changes, and not when a key does',
  async () => {
    const checksum = async (...values: readonly unknown[]): Promise<unknown> =>
      pick(podOf(await render(...values), 'metadata.annotations'), 'checksum/guard')
    expect(await checksum({})).toBe(await checksum({}))
    expect(await checksum({})).toBe(await checksum(keys))
    expect(await checksum({})).not.toBe(await checksum({ guard: { logLevel: 'debug' } }))
  },
)

helmTest('weights are fetched, then verified, then served, and only the first can write them', async () => {
  const { values } = cases['fetched and verified'] ?? { values: [] }
  const manifests = await render(...values)
  const containers = containersOf({ spec: podOf(manifests, 'spec') })
  expect(containers.map(({ name }) => name)).toEqual(['postern', 'download', 'verify-model', 'model'])
  const cacheOf = (name: string): unknown =>
    containers
      .find((container) => container.name === name)
      ?.volumeMounts?.find((mount) => mount.name === 'cache')
  expect(cacheOf('download')).toEqual({ name: 'cache', mountPath: '/models' })
  expect(cacheOf('verify-model')).toEqual({ name: 'cache', mountPath: '/models', readOnly: true })
  expect(cacheOf('model')).toEqual(cacheOf('verify-model'))
  expect(pick(containers[2], 'args')).toEqual([
    '/models',
    '--public-key=/etc/model-key/signer.pem',
    '--signature=sig/model.sig',
    `--digest=${'a'.repeat(64)}`,
  ])
  expect(pick(containers[3], 'env')).toContainEqual({ name: 'HOME', value: '/tmp' })
})

helmTest('the init container of the example for any Deployment is that of the chart', async () => {
  const text = readFileSync(join(root, 'charts/examples/verified.yaml'), 'utf8')
  const example = parseAllDocuments(text).map((document) => document.toJS() as unknown)[1]
  const manifests = await render({
    model: { verify: { enabled: true, folder: 'support', publicKey: { configMap: 'model-signers' } } },
    cache: { kind: 'existing', existingClaim: 'models' },
  })
  const spec = 'spec.template.spec'
  expect(pick(example, `${spec}.initContainers.0`)).toEqual(podOf(manifests, 'spec.initContainers.1'))
  const volumes = podOf(manifests, 'spec.volumes') as readonly unknown[]
  for (const at of [0, 1]) expect(volumes).toContainEqual(pick(example, `${spec}.volumes.${at}`))
})

helmTest(
  'the values of security/docs/models.md verify a model, and their guard names it in its records',
  async () => {
    const text = readFileSync(join(root, 'security/docs/models.md'), 'utf8')
    const values = [...text.matchAll(/^```yaml values\n(.*?)^```/gms)].map(
      ([, block = '']) => parse(block) as unknown,
    )
    expect(values).toHaveLength(2)
    const manifests = await render(keys, ...values)
    expect(podOf(manifests, 'spec.initContainers.1.name')).toBe('verify-model')
    expect(await checkConfig(manifests)).toEqual([0, ''])
  },
)

helmTest('the key that is made has the check digits that the guard wants', async () => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  for (let count = 0; count < 5; count++) {
    const key = String(pick(find(await render({}), 'Secret', 'chat-llm-api-api-key'), 'stringData.key'))
    let rest = crc32(key.slice(0, -6))
    let digits = ''
    for (let digit = 0; digit < 6; digit++) {
      digits = `${alphabet[rest % 62] ?? ''}${digits}`
      rest = Math.floor(rest / 62)
    }
    expect(key).toMatch(/^pk-[0-9A-Za-z]{38}$/)
    expect(key.slice(-6)).toBe(digits)
  }
})

const refused: readonly (readonly [string, unknown, RegExp])[] = [
  ['a model without an image', { demo: { enabled: false } }, /model\.image\.repository is needed/],
  ['a moving tag', { demo: { enabled: false }, model: { image: { repository: 'a/b' } } }, /moving tag/],
  [
    'guard and model on all addresses of one port',
    { ...server, model: { ...server.model, bind: 'none', port: 8080 } },
    /both would listen/,
  ],
  ['the admin port twice', { guard: { adminPort: 8080 } }, /adminPort must differ/],
  ['no key at all', { guard: { identity: { apiKeys: { generate: false } } } }, /has no key/],
  ['no issuer', { guard: { identity: { kind: 'jwt' } } }, /jwtIssuers is empty/],
  [
    'an address that the chart sets as well',
    { ...server, model: { ...server.model, args: ['--host=0.0.0.0'] } },
    /leave it out/,
  ],
  [
    'a variable that the chart sets as well',
    {
      ...server,
      model: { ...server.model, bind: 'env:OLLAMA_HOST', env: [{ name: 'OLLAMA_HOST', value: '0.0.0.0' }] },
    },
    /leave it out/,
  ],
  ['a guard that is off', { guard: { mode: 'off' } }, /guard.mode|'\/guard\/mode'/],
  ['a key that is not known', { guard: { modee: 'embedded' } }, /modee/],
  ['a claim without a name', { cache: { kind: 'existing' } }, /existingClaim is needed/],
  [
    'fewer pods at most than at least',
    { autoscaling: { kind: 'hpa', minReplicas: 5, maxReplicas: 2 } },
    /above maxReplicas/,
  ],
  [
    'verification without a key',
    { model: { verify: { enabled: true } } },
    /needs one of publicKey, certificateChain and trustedRoot/,
  ],
  [
    'verification by a key and by a root',
    { model: { verify: { enabled: true, publicKey: { secret: 'a' }, certificateChain: { secret: 'b' } } } },
    /needs one of publicKey, certificateChain and trustedRoot/,
  ],
  [
    'a trusted root under which anybody may sign',
    {
      model: {
        verify: { enabled: true, trustedRoot: { configMap: 'a', identityProvider: 'https://a.example' } },
      },
    },
    /trustedRoot needs identity and identityProvider/,
  ],
  [
    'verification by two keys',
    { model: { verify: { enabled: true, publicKey: { configMap: 'a', secret: 'b' } } } },
    /with one of configMap and secret/,
  ],
  [
    'a signature beside the folder that was signed',
    { model: { verify: { enabled: true, signature: '../model.sig', publicKey: { secret: 'b' } } } },
    /signature/,
  ],
  ['a folder outside of the cache', { model: { verify: { folder: 'a/../../etc' } } }, /folder/],
  ['a bad guard configuration', { guard: { config: { limits: { stor: 'redis' } } } }, /stor/],
]

for (const [what, values, message] of refused)
  helmTest(`refuses ${what}`, async () => {
    await expect(render(values)).rejects.toThrow(message)
  })

helmTest('the notes warn of what is unsafe, and of nothing else', async () => {
  const notes = async (values: unknown): Promise<string> => {
    const { stdout } = await runHelm(
      ['install', 'chat', chart, '--dry-run=client', '--namespace', 'models'],
      values,
    )
    return stdout.slice(stdout.indexOf('NOTES:'))
  }
  const warnings = async (values: unknown): Promise<readonly string[]> =>
    [...(await notes(values)).matchAll(/^WARNING: (\S+)/gm)].map(([, first = '']) => first)
  expect(await warnings({ guard: { tlsSecret: 'tls' } })).toEqual([])
  expect(await warnings({ guard: { tlsSecret: 'tls', identity: { kind: 'anonymous' } } })).toEqual([
    'guard.identity.kind',
  ])
  expect(await warnings({ guard: { port: 8000, config: { inspection: { allowNonText: true } } } })).toEqual([
    'guard.tlsSecret',
    'the',
    'guard.config',
  ])
  expect(await warnings({ guard: { tlsSecret: 'tls' }, networkPolicy: { enabled: false } })).toEqual([
    'networkPolicy.enabled',
  ])
  expect(
    await warnings({ ...server, model: { ...server.model, bind: 'none' }, guard: { mode: 'injected' } }),
  ).toEqual(['model.bind'])
  expect(await notes({})).toContain('kubectl --namespace models port-forward service/chat-llm-api 8080:80')
})

test('an example that is not tried here is not an example', () => {
  expect(Object.keys(cases)).toEqual(expect.arrayContaining(['vllm', 'tgi', 'ollama', 'llama.cpp']))
})
