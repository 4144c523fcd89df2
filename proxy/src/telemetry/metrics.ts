import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { metrics, type Meter, type MetricName } from '../core/metrics.ts'
import { countersOf, type Series, type Table } from './series.ts'

export interface PromMeterOptions {
  /** Label combinations kept per metric; what comes later counts as `other` in every label. */
  readonly maxSeries: number
  /** Adds the metrics of the process and of Node: memory, CPU, event loop delay, garbage collection. */
  readonly processMetrics: boolean
  /** Metrics whose names begin so; all when absent. The others are ignored: a program does not tell of what it has not. */
  readonly only?: string
}

/** The meter behind `/metrics`, in a registry of its own. */
export interface PromMeter extends Meter {
  /** The Prometheus text format, version 0.0.4. */
  expose(): Promise<string>
  readonly contentType: string
}

/**
 * Counts in plain numbers and lets prom-client render them: its own bound children hash their labels on every call,
 * which costs more than the rest of an observation. Values that are not finite, and counters that would sink, are ignored.
 */
export const promMeter = (options: PromMeterOptions): PromMeter => {
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const tables = new Map<string, Table>()
  for (const name of Object.keys(metrics) as MetricName[]) {
    if (!name.startsWith(options.only ?? '')) continue
    const table = countersOf(metrics[name], options.maxSeries)
    tables.set(name, table)
    registry.registerMetric(rendered(name, table))
  }
  const series = (name: MetricName, labels: readonly string[]) => tables.get(name)?.series(labels)
  return {
    add: (name, amount, ...labels) => {
      if (Number.isFinite(amount) && (amount >= 0 || metrics[name].kind === 'gauge')) {
        const one = series(name, labels)
        if (one !== undefined) one.value += amount
      }
    },
    set: (name, value, ...labels) => {
      if (!Number.isFinite(value)) return
      const one = series(name, labels)
      if (one !== undefined) one.value = value
    },
    observe: (name, value, ...labels) => {
      if (Number.isFinite(value)) tables.get(name)?.observe(labels, value)
    },
    expose: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

/** A prom-client metric that renders our numbers: its registry prefers `getForPromString` to the metric's own store. */
const rendered = (name: MetricName, table: Table) => {
  const row = metrics[name]
  const configuration = { name, help: row.help, labelNames: [...row.labels], registers: [] }
  const values = (series: Iterable<Series>) => [...series].flatMap((one) => lines(name, table, one))
  const getForPromString = () =>
    Promise.resolve({ name, help: row.help, type: row.kind, values: values(table.all()) })
  switch (row.kind) {
    case 'counter':
      return Object.assign(new Counter(configuration), { getForPromString })
    case 'gauge':
      return Object.assign(new Gauge(configuration), { getForPromString })
    case 'histogram':
      return Object.assign(new Histogram(configuration), { getForPromString })
  }
}

interface Line {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

const lines = (name: string, table: Table, series: Series): Line[] => {
  const labels = Object.fromEntries(table.labels.map((label, i) => [label, series.labels[i] ?? '']))
  if (series.buckets === undefined) return [{ metricName: name, labels, value: series.value }]
  let below = 0
  const buckets = [...table.bounds, Infinity].map((bound, i) => {
    below += series.buckets?.[i] ?? 0
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bound === Infinity ? '+Inf' : bound },
      value: below,
    }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: series.value },
    { metricName: `${name}_count`, labels, value: below },
  ]
}
