import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type MetricProducer,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import type { Family } from './family.ts'
import { connection, watched, withDeadline, type OtlpOptions } from './otlp.ts'
import { metricData, type ConventionOptions } from './otlp-points.ts'

export interface MetricsExportOptions extends OtlpOptions, ConventionOptions {
  /** At least `timeoutMs`. */
  readonly intervalMs: number
  /** What `/metrics` says at that moment. */
  readonly families: () => Promise<readonly Family[]>
}

/** Sends everything that is counted to an OTLP collector over HTTP, in intervals and once more at the end. */
export const exportMetrics = (options: MetricsExportOptions): { close(): Promise<void> } => {
  const resource = resourceFromAttributes(options.resource)
  const begun = now()
  const producer: MetricProducer = {
    collect: async () => {
      const times = { startTime: begun, endTime: now() }
      const metrics = (await options.families()).flatMap((family) => metricData(family, times, options))
      return {
        resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'postern' }, metrics }] },
        errors: [],
      }
    },
  }
  const provider = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: reporting(new OTLPMetricExporter(connection(options)), options),
        exportIntervalMillis: options.intervalMs,
        exportTimeoutMillis: options.timeoutMs,
        metricProducers: [producer],
      }),
    ],
  })
  return { close: () => withDeadline(provider.shutdown(), options.timeoutMs) }
}

const reporting = (exporter: PushMetricExporter, options: OtlpOptions): PushMetricExporter => {
  const watch = watched('metrics', options)
  return {
    export: (metrics, done) => exporter.export(metrics, watch(done)),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  }
}

const now = (): [number, number] => {
  const ms = Date.now()
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000]
}
