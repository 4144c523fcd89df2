import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { template, type Manifest } from './helm.ts'
import { find, pick } from './manifests.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const chart = join(root, 'charts/llm-api')
const example = (name: string): unknown =>
  parse(readFileSync(join(root, `charts/examples/${name}.values.yaml`), 'utf8'))

export const KEY = { hash: `sha256:${'0'.repeat(64)}`, subject: 'ci', tenant: 'tools', roles: ['service'] }
/** A generated key would make every snapshot differ. */
export const keys = { guard: { identity: { apiKeys: { generate: false, keys: [KEY] } } } }
export const server = {
  demo: { enabled: false },
  model: { image: { repository: 'vllm/vllm-openai', tag: 'v0.33.0' } },
}

interface Case {
  readonly values: readonly unknown[]
  /** What the user of the chart makes. */
  readonly elsewhere?: readonly string[]
}

export const cases: Readonly<Record<string, Case>> = {
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
  'vllm, verified': {
    values: [keys, example('vllm'), example('verified')],
    elsewhere: ['PersistentVolumeClaim/signed-weights', 'ConfigMap/model-signers'],
  },
  'fetched and verified': {
    values: [
      keys,
      {
        download: { enabled: true, image: 'example.com/fetch:1', command: ['fetch'] },
        model: {
          verify: {
            enabled: true,
            image: 'example.com/verify:1',
            signature: 'sig/model.sig',
            publicKey: { secret: 'signer', key: 'signer.pem' },
            digest: 'a'.repeat(64),
          },
        },
      },
    ],
    elsewhere: ['Secret/signer'],
  },
  'verified, by a certificate': {
    values: [
      keys,
      { model: { verify: { enabled: true, certificateChain: { configMap: 'release-roots' } } } },
    ],
    elsewhere: ['ConfigMap/release-roots'],
  },
  'verified, by an identity': {
    values: [
      keys,
      {
        model: {
          verify: {
            enabled: true,
            trustedRoot: {
              ...{ configMap: 'sigstore', identity: 'release@example.com' },
              identityProvider: 'https://accounts.example.com',
            },
          },
        },
      },
    ],
    elsewhere: ['ConfigMap/sigstore'],
  },
  tgi: { values: [keys, example('tgi')], elsewhere: ['Secret/hugging-face'] },
  ollama: { values: [keys, example('ollama')] },
  'llama.cpp': { values: [keys, example('llama-cpp')], elsewhere: ['PersistentVolumeClaim/gguf-files'] },
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** As Helm merges one values file over another. */
export const merged = (values: readonly unknown[]): unknown =>
  values.reduce((under, over) => {
    if (!isMap(under) || !isMap(over)) return over
    return Object.fromEntries(
      [...new Set([...Object.keys(under), ...Object.keys(over)])].map((key) => [
        key,
        key in over && key in under ? merged([under[key], over[key]]) : key in over ? over[key] : under[key],
      ]),
    )
  })

export const render = (...values: readonly unknown[]): Promise<readonly Manifest[]> =>
  template(chart, { values: merged(values), release: 'chat' })

const deployment = (manifests: readonly Manifest[]): Manifest => find(manifests, 'Deployment', 'chat-llm-api')
export const podOf = (manifests: readonly Manifest[], path: string): unknown =>
  pick(deployment(manifests), `spec.template.${path}`)
