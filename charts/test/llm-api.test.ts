import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { unusedValues } from './change-each-value.ts'
import { helmTest, runHelm, template, type Manifest } from './helm.ts'
import { find, names, pick, podTemplates } from './manifests.ts'
import { podProblems } from './pod-security.ts'
import { configOf, looseEnds } from './wiring.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const chart = join(root, 'charts/llm-api')
const postern = join(root, 'proxy/bin/postern.mjs')
const example = (name: string): unknown =>
  parse(readFileSync(join(root, `charts/examples/${name}.values.yaml`), 'utf8'))

const KEY = { hash: `sha256:${'0'.repeat(64)}`, subject: 'ci', tenant: 'tools', roles: ['service'] }
/** A generated key would make every snapshot differ. */
const keys = { guard: { identity: { apiKeys: { generate: false, keys: [KEY] } } } }
const server = {
  demo: { enabled: false },
  model: { image: { repository: 'vllm/vllm-openai', tag: 'v0.33.0' } },
}

interface Case {
  readonly values: readonly unknown[]
  /** What the user of the chart makes. */
  readonly elsewhere?: readonly string[]
}

const cases: Readonly<Record<string, Case>> = {
  demo: { values: [keys] },
  injected: { values: [{ guard: { mode: 'injected', secret: 'model-key' } }] },
  'anonymous, same port': { values: [{ guard: { identity: { kind: 'anonymous' }, port: 8000 } }] },
  'jwt and TLS': {
    values: [
      {
        guard: {
          tlsSecret: 'guard-tls',
          secret: 'redis-password',
          identity: {
            kind: 'jwt',
            jwtIssuers: [
              {
                name: 'corp',
                issuer: 'https://idp.example.com',
                audiences: ['postern'],
                claims: { tenant: 'tid' },
              },
            ],
          },
          config: {
            identity: { apiKeys: { file: '/etc/postern/secrets/api-keys.yaml' } },
            limits: {
              store: 'redis',
              redis: {
                url: 'rediss://redis.example.com:6379',
                password: { file: '/etc/postern/secrets/password' },
              },
            },
          },
        },
        tests: { credentialSecret: 'ci-token', credentialKey: 'token' },
        podMonitor: { enabled: true },
      },
    ],
    elsewhere: ['Secret/guard-tls', 'Secret/redis-password', 'Secret/ci-token'],
  },
  'all addresses, all switches': {
    values: [
      keys,
      server,
      {
        model: { bind: 'none', sharedMemory: { enabled: true }, envFromSecrets: ['hugging-face'] },
        cache: { kind: 'pvc', storageClass: 'fast' },
        download: { enabled: true, image: 'example.com/fetch:1', command: ['fetch'] },
        guard: { modelMetricsPath: '/metrics', extras: ['top_k'] },
        autoscaling: { kind: 'hpa' },
        networkPolicy: {
          registry: { enabled: true },
          clients: [{ podSelector: { matchLabels: { app: 'chat' } } }],
        },
        podMonitor: { enabled: true, labels: { release: 'monitoring' } },
      },
    ],
    elsewhere: ['Secret/hugging-face'],
  },
  vllm: { values: [keys, example('vllm')], elsewhere: ['Secret/hugging-face'] },
  'vllm with hpa': { values: [keys, example('vllm'), example('hpa')], elsewhere: ['Secret/hugging-face'] },
  'vllm with keda': { values: [keys, example('vllm'), example('keda')], elsewhere: ['Secret/hugging-face'] },
  tgi: { values: [keys, example('tgi')], elsewhere: ['Secret/hugging-face'] },
  ollama: { values: [keys, example('ollama')] },
  'llama.cpp': { values: [keys, example('llama-cpp')], elsewhere: ['PersistentVolumeClaim/gguf-files'] },
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** As Helm merges one values file over another. */
const merged = (values: readonly unknown[]): unknown =>
  values.reduce((under, over) => {
    if (!isMap(under) || !isMap(over)) return over
    return Object.fromEntries(
      [...new Set([...Object.keys(under), ...Object.keys(over)])].map((key) => [
        key,
        key in over && key in under ? merged([under[key], over[key]]) : key in over ? over[key] : under[key],
      ]),
    )
  })

const render = (...values: readonly unknown[]): Promise<readonly Manifest[]> =>
  template(chart, { values: merged(values), release: 'chat' })

const deployment = (manifests: readonly Manifest[]): Manifest => find(manifests, 'Deployment', 'chat-llm-api')
const podOf = (manifests: readonly Manifest[], path: string): unknown =>
  pick(deployment(manifests), `spec.template.${path}`)

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

/** `postern check` of the rendered file, with the files it names in a folder of this machine. */
const checkConfig = async (manifests: readonly Manifest[]): Promise<readonly [number, string]> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-chart-'))
  try {
    const file = writeConfig(folder, manifests)
    return await new Promise((resolve) => {
      execFile(process.execPath, [postern, 'check', file], (error, _, stderr) =>
        resolve([typeof error?.code === 'number' ? error.code : 0, stderr.replace(/^.*warning.*\n/gm, '')]),
      )
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const writeConfig = (folder: string, manifests: readonly Manifest[]): string => {
  const file = join(folder, 'postern.yaml')
  const text = configOf(manifests, 'chat-llm-api-guard', 'postern.yaml')
  writeFileSync(file, text.replaceAll(/\/etc\/postern\/(?:keys|secrets|tls)/g, folder))
  const texts = (pick(
    manifests.find(({ kind }) => kind === 'Secret'),
    'stringData',
  ) ?? {}) as Readonly<Record<string, string>>
  writeFileSync(join(folder, 'api-keys.yaml'), texts['api-keys.yaml'] ?? '[]')
  writeFileSync(join(folder, 'password'), 'unused')
  if (text.includes('tls.crt')) selfSigned(join(folder, 'tls.crt'), join(folder, 'tls.key'))
  return file
}

const selfSigned = (certificate: string, key: string): void => {
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ]
  const names = ['-subj', '/CN=guard', '-addext', 'subjectAltName=DNS:guard']
  execFileSync('openssl', [...request, ...names, '-out', certificate, '-keyout', key], { stdio: 'ignore' })
}

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

helmTest('what the chart starts, started here, answers its own test', async () => {
  const [modelPort, guardPort, adminPort] = await freePorts(3)
  const manifests = await render({ model: { port: modelPort }, guard: { port: guardPort, adminPort } })
  const folder = mkdtempSync(join(tmpdir(), 'postern-chart-'))
  const started: ReturnType<typeof spawn>[] = []
  const node = (args: readonly string[], env: Readonly<Record<string, string>>): ReturnType<typeof spawn> => {
    const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' })
    started.push(child)
    return child
  }
  const script = (container: unknown): string =>
    String(pick(container, 'args.0')).replace("'/postern/proxy", `'${join(root, 'proxy')}`)
  try {
    const model = podOf(manifests, 'spec.containers.0')
    node(['--input-type=module', '--eval', script(model)], { PORT: String(modelPort), HOST: '127.0.0.1' })
    const sidecar = podOf(manifests, 'spec.initContainers.0')
    const file = writeConfig(folder, manifests)
    const args = (pick(sidecar, 'args') as readonly string[]).map((arg) =>
      arg === '/etc/postern/postern.yaml' ? file : arg,
    )
    node([postern, ...args], { POSTERN_POD: String(pick(sidecar, 'env.0.value')), POD_IP: '127.0.0.1' })
    await eventuallyReady(`http://127.0.0.1:${adminPort}/readyz`)
    await eventuallyReady(`http://127.0.0.1:${adminPort}/app-health/model/readiness`)
    const test = node(
      [
        '--input-type=module',
        '--eval',
        script(pick(find(manifests, 'Pod', 'chat-llm-api-test'), 'spec.containers.0')),
      ],
      {
        ADDRESS: `http://127.0.0.1:${guardPort}/v1/chat/completions`,
        MODEL: 'demo-small',
        CREDENTIAL: String(pick(find(manifests, 'Secret', 'chat-llm-api-api-key'), 'stringData.key')),
      },
    )
    expect(await ended(test)).toBe(0)
    const [demo] = started
    demo?.kill('SIGTERM')
    expect(await ended(demo!)).toBe(0)
  } finally {
    const all = started.map((child) => ended(child))
    for (const child of started) child.kill('SIGKILL')
    await Promise.all(all)
    rmSync(folder, { recursive: true })
  }
})

const ended = (child: ReturnType<typeof spawn>): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', (code) => resolve(code)))

const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

const eventuallyReady = async (url: string): Promise<void> => {
  for (let left = 150; left > 0; left--) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} does not answer`)
}

helmTest(
  'every value changes something',
  async () => {
    expect(
      await unusedValues({
        chart,
        base: merged([
          keys,
          {
            download: { enabled: true, image: 'example.com/fetch:1' },
            cache: { kind: 'pvc' },
            model: { sharedMemory: { enabled: true } },
            guard: { modelMetricsPath: '/metrics' },
            networkPolicy: { registry: { enabled: true } },
            podMonitor: { enabled: true },
            tests: { credentialSecret: 'ci' },
          },
        ]),
        samples,
        under,
      }),
    ).toEqual([])
  },
  300_000,
)

const scaling = (kind: string, metric: string): unknown => ({ autoscaling: { kind, metric } })
const samples: Readonly<Record<string, unknown>> = {
  'model.names': ['changed'],
  'model.image.digest': `sha256:${'1'.repeat(64)}`,
  'guard.image.digest': `sha256:${'1'.repeat(64)}`,
  'model.bind': 'arg:--changed',
  'guard.identity.apiKeys.keys': [{ ...KEY, subject: 'changed' }],
  'guard.identity.apiKeys.generate': true,
  'model.image.pullPolicy': 'Always',
  'guard.image.pullPolicy': 'Always',
  'guard.identity.kind': 'anonymous',
  'guard.identity.jwtIssuers': [{ name: 'changed', issuer: 'https://changed.example', audiences: ['a'] }],
  'guard.config': { defaultModel: 'changed' },
  'networkPolicy.registry.blocks': [{ cidr: '192.0.2.0/24' }],
  'networkPolicy.registry.ports': [8443],
  'networkPolicy.clients': [{ podSelector: {} }],
  'networkPolicy.dns': [{ podSelector: {} }],
  'networkPolicy.egress': [{ ports: [{ port: 6379 }] }],
}
const under: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    [
      'servedName',
      'image.repository',
      'image.tag',
      'image.digest',
      'image.pullPolicy',
      'command',
      'args',
      'bind',
      'probes.path',
    ].map((name) => [`model.${name}`, server]),
  ),
  'cache.existingClaim': { cache: { kind: 'existing', existingClaim: 'weights' } },
  'guard.profile': { guard: { mode: 'injected' } },
  'networkPolicy.posternNamespace': { guard: { mode: 'injected' } },
  'guard.identity.apiKeys.existingSecret': {},
  'guard.identity.jwtIssuers': {
    guard: {
      identity: { kind: 'jwt', jwtIssuers: [{ name: 'a', issuer: 'https://a.example', audiences: ['a'] }] },
    },
  },
  'guard.identity.anonymous.tenant': { guard: { identity: { kind: 'anonymous' } } },
  'guard.identity.anonymous.roles': { guard: { identity: { kind: 'anonymous' } } },
  'serviceAccount.create': { serviceAccount: { name: 'own' } },
  'autoscaling.minReplicas': scaling('hpa', 'cpu'),
  'autoscaling.maxReplicas': scaling('hpa', 'cpu'),
  'autoscaling.metric': scaling('hpa', 'cpu'),
  'autoscaling.cpuUtilization': scaling('hpa', 'cpu'),
  'autoscaling.requestsInFlight': scaling('hpa', 'guard'),
  'autoscaling.requestsWaiting': scaling('hpa', 'model'),
  'autoscaling.waitingMetric': scaling('keda', 'model'),
  'autoscaling.scaleDownSeconds': scaling('keda', 'model'),
  'autoscaling.prometheus': scaling('keda', 'model'),
}

test('an example that is not tried here is not an example', () => {
  expect(Object.keys(cases)).toEqual(expect.arrayContaining(['vllm', 'tgi', 'ollama', 'llama.cpp']))
})
