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
import { connection, watched, withDeadline, type OtlpOptions } from './otlp.ts'

export interface ExporterOptions extends OtlpOptions {
  /** Share of traces recorded, 0 to 1. A client may keep its trace from being recorded but cannot force it to be. */
  readonly sampleRatio: number
  /** Spans that wait at most; later ones are dropped. */
  readonly maxQueue: number
  readonly batchDelayMs: number
}

export interface Exporter {
  readonly tracer: Tracer
  close(): Promise<void>
}

const MAX_BATCH = 512

export const openExporter = (options: ExporterOptions): Exporter => {
  const ratio = new TraceIdRatioBasedSampler(options.sampleRatio)
  const processor = new BatchSpanProcessor({
    exporter: reporting(new OTLPTraceExporter(connection(options)), options),
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
      eventCountLimit: 8,
      linkCountLimit: 0,
    },
    spanProcessors: [processor],
  })
  return {
    tracer: provider.getTracer('postern'),
    close: () => withDeadline(provider.shutdown(), options.timeoutMs),
  }
}

const reporting = (exporter: SpanExporter, options: OtlpOptions): SpanExporter => {
  const watch = watched('traces', options)
  return {
    export: (spans, done) => exporter.export(spans, watch(done)),
    shutdown: () => exporter.shutdown(),
    ...(exporter.forceFlush === undefined
      ? {}
      : { forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve() }),
  }
}
