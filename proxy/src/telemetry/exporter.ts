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
import type { Log } from '../core/log.ts'

export interface ExporterOptions {
  /** The collector's traces URL, such as `http://otel-collector:4318/v1/traces`. */
  readonly endpoint: URL
  readonly headers: Readonly<Record<string, string>>
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

const otlp = (options: ExporterOptions) =>
  new OTLPTraceExporter({
    url: options.endpoint.href,
    headers: { ...options.headers },
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
