import { z } from 'zod'
import { path, secret, url } from './fields.ts'
import { bytes, milliseconds, section } from './quantities.ts'
import { remoteBundleSchema } from './schema-workload.ts'

const upTo = (max: number) => z.int().min(1).max(max)
const words = (max: number) => z.array(z.string().min(1).max(128)).max(max)

export const policySchema = section({
  engine: z
    .enum(['wasm', 'opa'])
    .default('wasm')
    .describe(
      'wasm: in this process. opa: an OPA server, one call for every decision that is not remembered.',
    ),
  bundle: path()
    .optional()
    .describe(
      'OPA bundle (tar.gz) with a policy.wasm, followed when it changes. The built-in policies when absent.',
    ),
  remote: remoteBundleSchema
    .optional()
    .describe('Follows a bundle over HTTP instead, such as the one of the controller of charts/postern.'),
  dataFile: path()
    .optional()
    .describe(
      'JSON file with the data of the policies (roles, models, tenants, limits), followed when it changes. The built-in data when absent.',
    ),
  url: url('http', 'https', 'unix')
    .optional()
    .describe('OPA server, such as http://127.0.0.1:8181 or unix:/run/opa/opa.sock. Needed for opa.'),
  tokenFile: path()
    .optional()
    .describe('File with the bearer token for the OPA server, read again when it is rotated.'),
  caFile: path().optional().describe('PEM certificates that vouch for the OPA server.'),
  certFile: path().optional().describe('PEM client certificate for the OPA server.'),
  keyFile: path().optional().describe('PEM key of the client certificate.'),
  timeout: milliseconds('1ms', '30s')
    .prefault('500ms')
    .describe('For one decision. Later ones are refusals (503).'),
  shadow: section({
    bundle: path().optional().describe('OPA bundle to compare with; the built-in policies when absent.'),
    dataFile: path().optional().describe('Data to compare with; the built-in data when absent.'),
  })
    .optional()
    .describe(
      'Another policy that is asked too and decides nothing: postern_policy_shadow_total and the log say where it would differ. Try a change here first.',
    ),
  cacheEntries: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(10_000)
    .describe(
      'Decisions of the wasm engine that are remembered: equal facts have equal answers. 0 asks every time.',
    ),
})

export const inspectionSchema = section({
  allowNonText: z
    .boolean()
    .default(false)
    .describe('Lets images, audio and files pass uninspected; counted and marked. Refused otherwise.'),
  extras: words(256)
    .default([])
    .describe(
      'Request keys of model servers (vLLM, TGI, llama.cpp) that may pass, such as top_k. Others are refused.',
    ),
  maxHold: z
    .int()
    .min(64)
    .max(1_048_576)
    .default(16_384)
    .describe(
      'Characters of a stream held back at most while they may become a finding. Beyond it the stream is cut.',
    ),
  jsonDepth: z
    .int()
    .min(4)
    .max(1000)
    .default(64)
    .describe('Arrays and objects inside each other in a body. Deeper ones are refused: checking recurses.'),
  jsonNodes: upTo(10_000_000)
    .default(100_000)
    .describe('Values in a body. More are refused: each costs memory many times its length.'),
  jsonKeys: upTo(10_000_000).default(50_000).describe('Object members in a body. More are refused.'),
  disableRules: words(1000)
    .default([])
    .describe('Finding rules that are switched off. What only they would find passes unnoticed.'),
})

const redis = section({
  url: url('redis', 'rediss').describe('Redis 6.2 or later, such as rediss://redis:6379.'),
  cluster: z.boolean().default(false).describe('The address is one node of a Redis Cluster.'),
  username: z.string().min(1).max(256).optional().describe('User at Redis.'),
  password: secret().optional().describe('Password at Redis.'),
  tls: section({
    caFile: path().optional().describe('PEM certificates that vouch for Redis.'),
    certFile: path().optional().describe('PEM client certificate.'),
    keyFile: path().optional().describe('PEM key of the client certificate.'),
    serverName: z.string().min(1).max(253).optional().describe('Name expected in the certificate.'),
  }).optional(),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .default('postern')
    .describe('Begins every key. Guards that share limits share it.'),
  replicas: upTo(10_000)
    .default(1)
    .describe(
      'Guards that share the limits: each takes its part while Redis is away. Too low a number lets more through then.',
    ),
  strict: z
    .boolean()
    .default(false)
    .describe('Refuses with 503 while Redis is away, instead of limiting by parts.'),
  connectTimeout: milliseconds('10ms', '1m').prefault('1s').describe('To connect to Redis.'),
  commandTimeout: milliseconds('1ms', '10s')
    .prefault('50ms')
    .describe(
      'For one command; then the request is limited without Redis. Added to every request when Redis is slow.',
    ),
})

export const limitsSchema = section({
  store: z
    .enum(['memory', 'redis'])
    .default('memory')
    .describe('memory: each guard counts for itself. redis: all count together.'),
  redis: redis.optional(),
  maxOutputTokens: upTo(10_000_000)
    .default(4096)
    .describe('Tokens reserved for an answer whose request names no maximum.'),
  maxKeys: upTo(10_000_000)
    .default(100_000)
    .describe('Callers, tenants and models counted at once, about 250 bytes each. Further ones are refused.'),
  leaseMax: milliseconds('1s', '24h')
    .prefault('15m')
    .describe('After this an exchange that never ended frees its place. Above the longest answer.'),
})

const rotate = section({
  size: bytes('64KiB', '100GiB').prefault('128MiB').describe('A larger file is rotated.'),
  age: milliseconds('1m', '366d').prefault('1d').describe('An older file is rotated.'),
  keep: z.int().min(1).max(100_000).default(30).describe('Rotated files kept; older ones are deleted.'),
  keepAge: milliseconds('1h', '3650d')
    .optional()
    .describe('Rotated files whose last line is older are deleted as well, however few they are.'),
})

const capture = section({
  publicKeyFile: path().describe(
    'PEM public key (X25519, P-256, P-384, P-521) of the auditor, who alone can read what is kept.',
  ),
  tenants: words(1000).min(1).describe('Tenants whose content is kept. Nobody else is captured.'),
  file: path().describe('The encrypted content, one line for each text. Best on a volume of its own.'),
  rotate: rotate.prefault({}),
  maxQueueCharacters: upTo(1_000_000_000)
    .default(16_777_216)
    .describe('Characters that wait for the disk at most. Beyond it a text cannot be kept.'),
  stall: milliseconds('100ms', '1m').prefault('5s').describe('A write that takes longer counts as failed.'),
  onFailure: z
    .enum(['refuse', 'skip'])
    .default('refuse')
    .describe('What cannot be kept is refused, or served without being kept; then counted and logged.'),
})

export const auditSchema = section({
  file: path()
    .optional()
    .describe(
      'The audit log. Its folder also holds head, lock, keys and rotated files. Nothing is served while it cannot be written.',
    ),
  stdout: z
    .boolean()
    .default(false)
    .describe('Writes the audit lines to standard output. Used when no file is given.'),
  rotate: rotate.prefault({}),
  capture: capture
    .optional()
    .describe('Keeps the texts of chosen tenants, encrypted to an auditor. Nothing is kept without it.'),
  signingKeyFile: path()
    .optional()
    .describe('Ed25519 private key (PEM, PKCS #8) for checkpoints. Made beside the log when absent.'),
  checkpoint: section({
    every: upTo(1_000_000).default(1000).describe('Lines between two signed checkpoints.'),
    interval: milliseconds('1s', '1d')
      .prefault('1m')
      .describe('Longest time until new lines are covered by one.'),
  }).prefault({}),
  maxQueue: upTo(1_000_000)
    .default(4096)
    .describe('Records that wait for the disk at most. Beyond it nothing new is served.'),
  stall: milliseconds('100ms', '1m').prefault('5s').describe('A write that takes longer counts as failed.'),
})

export const telemetrySchema = section({
  log: section({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least severity written to standard error.'),
  }).prefault({}),
  otlp: section({
    endpoint: url('http', 'https').describe(
      'Traces URL of the collector, such as http://otel-collector:4318/v1/traces.',
    ),
    headers: z
      .record(z.string().regex(/^[a-z0-9-]{1,64}$/), secret())
      .default({})
      .describe('Headers for the collector, such as its credential.'),
    tls: section({
      caFile: path().optional().describe('PEM certificates that vouch for the collector.'),
      certFile: path().optional().describe('PEM client certificate for the collector.'),
      keyFile: path().optional().describe('PEM key of the client certificate.'),
    })
      .optional()
      .describe('TLS to the collector.'),
    sampleRatio: z.number().min(0).max(1).default(1).describe('Share of traces recorded.'),
    maxQueue: upTo(1_000_000).default(2048).describe('Spans that wait at most; later ones are dropped.'),
    batchDelay: milliseconds('10ms', '1m')
      .prefault('2s')
      .describe('How long spans are collected before they are sent.'),
    timeout: milliseconds('100ms', '1m').prefault('5s').describe('For one export.'),
    metrics: z
      .boolean()
      .default(false)
      .describe('Sends the metrics of the admin port too, under the same names.'),
    metricsEndpoint: url('http', 'https')
      .optional()
      .describe('Metrics URL of the collector; endpoint with /v1/metrics instead of /v1/traces when absent.'),
    metricsInterval: milliseconds('1s', '1h')
      .prefault('30s')
      .describe('Time between two exports of metrics; not shorter than timeout.'),
  }).optional(),
  provider: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe('gen_ai.provider.name of the model servers, such as vllm.'),
  guardrailAttributes: z
    .boolean()
    .default(false)
    .describe('Also sends the draft gen_ai.guardrail.* attributes.'),
  genAiMetrics: z
    .boolean()
    .default(false)
    .describe(
      'Also counts the gen_ai.* metrics of the OpenTelemetry conventions, for dashboards made for them.',
    ),
  genAiNames: z
    .enum(['latest', 'v1.36', 'both'])
    .default('latest')
    .describe(
      'Version of the GenAI conventions where a name changed: gen_ai.provider.name (latest), gen_ai.system (v1.36), or both.',
    ),
})
