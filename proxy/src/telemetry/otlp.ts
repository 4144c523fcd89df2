import { Agent } from 'node:https'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'

/** Where one signal goes, and how. */
export interface OtlpOptions {
  /** The collector's URL for this signal, such as `http://otel-collector:4318/v1/traces`. */
  readonly endpoint: URL
  readonly headers: Readonly<Record<string, string>>
  /** PEM, for an https endpoint. Asked for with each connection, since certificates are renewed; what it throws fails the export. */
  readonly tls?: () => TlsMaterial
  /** Names the guard: `service.name`, `service.version`, `k8s.pod.name` and the like. */
  readonly resource: Readonly<Record<string, string>>
  /** Bounds one export, and `close` as a whole. */
  readonly timeoutMs: number
  readonly meter: Meter
  readonly log: Log
}

interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** What an OTLP exporter over HTTP is made with. */
export const connection = ({ endpoint, headers, tls, timeoutMs }: OtlpOptions) => ({
  url: endpoint.href,
  headers: { ...headers },
  ...(tls && { httpAgentOptions: freshAgent(tls) }),
  timeoutMillis: timeoutMs,
  concurrencyLimit: 2,
})

/** A connection for each batch: a kept one would outlive the certificate it was made with. */
const freshAgent = (tls: () => TlsMaterial) => (): Agent => {
  const agent = new Agent({ keepAlive: false })
  const connect = agent.createConnection.bind(agent)
  return Object.assign(agent, {
    createConnection: (...[options, done]: Parameters<typeof connect>) =>
      connect({ ...options, ...tls() }, done),
  })
}

type Done = (result: { readonly code: number; readonly error?: Error }) => void

const SUCCESS = 0 // ExportResultCode of @opentelemetry/core, which is not ours to import

/**
 * Counts every export. Says once that exports fail, and once that they work again: a collector that is down must not
 * flood the log.
 */
export const watched = (signal: 'traces' | 'metrics', { meter, log }: Pick<OtlpOptions, 'meter' | 'log'>) => {
  const name = signal === 'traces' ? 'trace' : 'metric'
  let failing = false
  return (done: Done): Done =>
    (result) => {
      const failed = result.code !== SUCCESS
      meter.add('postern_telemetry_exports_total', 1, signal, failed ? 'failed' : 'ok')
      if (failed && !failing) log.warn(`${name}_export_failed`, { cause: result.error })
      if (!failed && failing) log.info(`${name}_export_recovered`)
      failing = failed
      done(result)
    }
}

/** Resolves when the work is done or failed, at the latest after `ms`. */
export const withDeadline = async (work: Promise<void>, ms: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), ms)
  await Promise.race([work.catch(() => undefined), promise])
  clearTimeout(timer)
}
