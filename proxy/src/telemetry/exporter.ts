import type { Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace'
import { Agent } from 'node:https'
import type { Log } from '../core/log.ts'

export interface ExporterOptions {
  /** The collector's traces URL, such as `http://otel-collector:4318/v1/traces`. */
  readonly endpoint: URL
  readonly headers: Readonly<Record<string, string>>
  /** PEM, for an https endpoint. Asked for with each connection, since certificates are renewed; what it throws fails the export. */
  readonly tls?: () => TlsMaterial
  /** Names the guard in the traces: `service.name`, `service.version`, `k8s.pod.name` and the like. */
  readonly resource: Readonly<Record<string, string>>
  /** Share of traces recorded, 0 to 1. A client may keep its trace from being recorded but cannot force it to be. */
  readonly sampleRatio: number
  /** Spans that wait at most; later ones are dropped. */
  readonly maxQueue: number
  readonly batchDelayMs: number
  /** Bounds one export, and `close` as a whole. */
  readonly timeoutMs: number
  readonly log: Log
}

export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface Exporter {
  readonly tracer: Tracer
  close(): Promise<void>
}

const MAX_BATCH = 512

export const openExporter = (options: ExporterOptions): Exporter => {
  const ratio = new TraceIdRatioBasedSampler(options.sampleRatio)
  const processor = new BatchSpanProcessor({
    exporter: reporting(otlp(options), options.log),
    maxQueueSize: options.maxQueue,
    maxExportBatchSize: Math.min(MAX_BATCH, options.maxQueue),
    scheduledDelayMillis: options.batchDelayMs,
    exportTimeoutMillis: options.timeoutMs,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes(options.resource),
    sampler: new ParentBasedSampler({
      root: ratio,
      remoteParentSampled: ratio,
      remoteParentNotSampled: new AlwaysOffSampler(),
    }),
    spanLimits: {
      attributeValueLengthLimit: 256,
      attributeCountLimit: 64,
      eventCountLimit: 0,
      linkCountLimit: 0,
    },
    spanProcessors: [processor],
  })
  return {
    tracer: provider.getTracer('postern'),
    close: () => withDeadline(provider.shutdown(), options.timeoutMs),
  }
}

/** A connection for each batch: a kept one would outlive the certificate it was made with. */
const freshAgent = (tls: () => TlsMaterial) => (): Agent => {
  const agent = new Agent({ keepAlive: false })
  const connect = agent.createConnection.bind(agent)
  return Object.assign(agent, {
    createConnection: (...[options, done]: Parameters<typeof connect>) =>
      connect({ ...options, ...tls() }, done),
  })
}

const otlp = (options: ExporterOptions) =>
  new OTLPTraceExporter({
    url: options.endpoint.href,
    headers: { ...options.headers },
    ...(options.tls && { httpAgentOptions: freshAgent(options.tls) }),
    timeoutMillis: options.timeoutMs,
    concurrencyLimit: 2,
  })

const SUCCESS = 0 // ExportResultCode of @opentelemetry/core, which is not ours to import

/** Says once that exports fail, and once that they work again: a collector that is down must not flood the log. */
const reporting = (exporter: SpanExporter, log: Log): SpanExporter => {
  let failing = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = (result.code as number) !== SUCCESS
        if (failed && !failing) log.warn('trace_export_failed', { cause: result.error })
        if (!failed && failing) log.info('trace_export_recovered')
        failing = failed
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined
      ? {}
      : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  }
}

const withDeadline = async (work: Promise<void>, ms: number): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), ms)
  await Promise.race([work.catch(() => undefined), promise])
  clearTimeout(timer)
}
