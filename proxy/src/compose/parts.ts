import type { AuditLog, FeedbackLog, ResponseLog } from '../core/audit.ts'
import type { Capture } from '../core/capture.ts'
import type { Limiter } from '../core/limits.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { PolicyEngine } from '../core/policy.ts'
import type { Tracer } from '../core/tracing.ts'
import { captureFile } from '../audit/capture.ts'
import { fileAudit } from '../audit/file.ts'
import { everyAudit } from '../audit/every.ts'
import { stdoutAudit } from '../audit/stdout.ts'
import type { Config } from '../config/schema.ts'
import { memoryLimiter } from '../limits/memory.ts'
import { opaServer } from '../policy/opa-server.ts'
import { shadowed } from '../policy/shadow.ts'
import { wasmPolicy } from '../policy/wasm.ts'
import type { PromMeter } from '../telemetry/metrics.ts'
import { passOn } from '../telemetry/pass-on.ts'
import { readOptional, readText } from './files.ts'
import { given } from './given.ts'
import { remotePolicy } from './remote-policy.ts'
import { guardVersion } from './versions.ts'

interface Instruments {
  readonly meter: Meter
  readonly log: Log
}

export const composePolicy = async (config: Config, instruments: Instruments): Promise<PolicyEngine> => {
  const active = await activePolicy(config, instruments)
  const { shadow, cacheEntries } = config.policy
  if (shadow === undefined) return active
  try {
    const files = given({ bundle: shadow.bundle, data: shadow.dataFile })
    return shadowed(active, await wasmPolicy({ ...files, cacheEntries, ...instruments }), instruments)
  } catch (error) {
    await active.close()
    throw error
  }
}

const activePolicy = async ({ policy }: Config, { meter, log }: Instruments): Promise<PolicyEngine> => {
  if (policy.remote !== undefined) return remotePolicy(policy, policy.remote, { meter, log })
  if (policy.engine === 'wasm') {
    const { bundle, dataFile: data, cacheEntries } = policy
    return wasmPolicy({ ...given({ bundle, data }), cacheEntries, meter, log })
  }
  if (policy.url === undefined) throw new Error('policy.url: give the address of the OPA server')
  return opaServer({
    url: policy.url,
    deadlineMs: policy.timeoutMs,
    ...given({ tokenFile: policy.tokenFile }),
    tls: readPair(policy),
    log,
  })
}

// Clients of other servers are loaded where they are configured: a third of the start and of the memory of an idle guard.

export const composeLimiter = async ({ limits }: Config, { meter, log }: Instruments): Promise<Limiter> => {
  const { leaseMaxMs } = limits
  const now = (): number => performance.now()
  const memory = memoryLimiter({ maxKeys: limits.maxKeys, leaseMaxMs }, { meter, log, now })
  if (limits.store === 'memory') return memory
  if (!limits.redis) throw new Error('limits.redis: give the address of Redis')
  const { password, tls, ...redis } = limits.redis
  const options = given({
    ...redis,
    password: password?.reveal(),
    tls:
      tls &&
      given({
        ...readPair(tls),
        serverName: tls.serverName,
      }),
    leaseMaxMs,
  })
  const { redisLimiter } = await import('../limits/redis.ts')
  return redisLimiter(options, { meter, log, fallback: memory })
}

interface TlsFiles {
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

const readPair = ({ caFile, certFile, keyFile }: TlsFiles) =>
  given({ ca: readOptional(caFile), cert: readOptional(certFile), key: readOptional(keyFile) })

export const composeAudit = async (
  { audit }: Config,
  instruments: Instruments,
): Promise<AuditLog & ResponseLog & FeedbackLog> => {
  const common = {
    signingKey: readOptional(audit.signingKeyFile),
    checkpointLines: audit.checkpoint.every,
    checkpointMs: audit.checkpoint.intervalMs,
    maxQueue: audit.maxQueue,
    stallMs: audit.stallMs,
  }
  const logs: (AuditLog & ResponseLog & FeedbackLog)[] = []
  if (audit.file !== undefined) {
    logs.push(await fileAudit({ ...common, path: audit.file, ...rotationOf(audit.rotate) }, instruments))
  }
  if (audit.stdout || audit.file === undefined) {
    logs.push(stdoutAudit({ ...common, stream: process.stdout }, instruments))
  }
  return logs.length === 1 && logs[0] ? logs[0] : everyAudit(logs)
}

const rotationOf = ({ sizeBytes, ageMs, keep, keepAgeMs }: Config['audit']['rotate']) => ({
  maxBytes: sizeBytes,
  maxAgeMs: ageMs,
  keepFiles: keep,
  ...given({ keepMs: keepAgeMs }),
})

/** Undefined when nothing is captured. */
export const composeCapture = async (
  { audit: { capture } }: Config,
  instruments: Instruments,
): Promise<Capture | undefined> =>
  capture &&
  captureFile(
    {
      keepMs: Infinity,
      ...rotationOf(capture.rotate),
      path: capture.file,
      maxQueue: capture.maxQueueCharacters,
      stallMs: capture.stallMs,
      publicKey: readText(capture.publicKeyFile),
      tenants: capture.tenants,
      onFailure: capture.onFailure,
    },
    instruments,
  )

/** Traces, and metrics where they are sent too; closing the tracer sends the last of both. */
export const composeTracer = async (
  { telemetry }: Config,
  instruments: Instruments & { readonly meter: PromMeter },
): Promise<Tracer> => {
  const { otlp, provider, guardrailAttributes, genAiNames } = telemetry
  if (otlp === undefined) return passOn
  const { tls, headers, sampleRatio, maxQueue, batchDelayMs, timeoutMs } = otlp
  const common = {
    ...instruments,
    ...given({ tls: tls && (() => readPair(tls)) }),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()])),
    resource: { 'service.name': 'postern', 'service.version': guardVersion() },
    ...{ timeoutMs, provider, genAiNames },
  }
  const { tracing } = await import('../telemetry/tracing.ts')
  const endpoint = new URL(otlp.endpoint)
  const tracer = tracing({ ...common, endpoint, sampleRatio, maxQueue, batchDelayMs, guardrailAttributes })
  if (!otlp.metrics) return tracer
  const { exportMetrics } = await import('../telemetry/otlp-metrics.ts')
  const exporting = exportMetrics({
    ...common,
    endpoint: new URL(otlp.metricsEndpoint ?? otlp.endpoint.replace(/traces$/, 'metrics')),
    intervalMs: otlp.metricsIntervalMs,
    families: () => instruments.meter.families(),
  })
  return {
    start: (exchange) => tracer.start(exchange),
    close: async () => {
      await Promise.all([tracer.close(), exporting.close()])
    },
  }
}
