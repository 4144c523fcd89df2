import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type OpenMetricsContentType,
} from 'prom-client'
import { metrics, type Meter, type MetricName, type TraceRef } from '../core/metrics.ts'
import { samplesOf, type Family, type Sample } from './family.ts'
import { wantsOpenMetrics } from './negotiate.ts'
import { countersOf, type Table } from './series.ts'

export interface PromMeterOptions {
  /** Label combinations kept per metric; what comes later counts as `other` in every label. */
  readonly maxSeries: number
  /** Adds the metrics of the process and of Node: memory, CPU, event loop delay, garbage collection. */
  readonly processMetrics: boolean
  /** Metrics whose names begin so; all when absent. The others are ignored: a program does not tell of what it has not. */
  readonly only?: string | readonly string[]
  /** Also the metrics of the GenAI conventions; without it they are ignored. */
  readonly genAi?: boolean
}

/** The meter behind `/metrics`, in a registry of its own. */
export interface PromMeter extends Meter {
  /** The Prometheus text format, version 0.0.4. */
  expose(): Promise<string>
  readonly contentType: string
  /** In OpenMetrics 1.0 with exemplars for a scraper whose `Accept` header asks for it, otherwise as `expose`. */
  exposeTo(accept: string | undefined): Promise<Exposition>
  /** Everything that is counted, the metrics of the process included. */
  families(): Promise<readonly Family[]>
}

interface Exposition {
  readonly contentType: string
  readonly text: string
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
    if (!isWanted(name, options)) continue
    const table = countersOf(metrics[name], options.maxSeries)
    tables.set(name, table)
    registry.registerMetric(rendered(name, table))
  }
  const families = () => Promise.all(registry.getMetricsAsArray().map((metric) => familyOf(metric)))
  let open: Registry<OpenMetricsContentType> | undefined
  const { contentType } = registry
  return {
    ...meterOf(tables, undefined),
    expose: () => registry.metrics(),
    contentType,
    exposeTo: async (accept) => {
      if (!wantsOpenMetrics(accept)) return { contentType, text: await registry.metrics() }
      open ??= openRegistry(registry)
      return { contentType: open.contentType, text: await open.metrics() }
    },
    families,
  }
}

const isWanted = (name: MetricName, { only = '', genAi = false }: PromMeterOptions): boolean =>
  [only].flat().some((one) => name.startsWith(one)) && (genAi || !name.startsWith('gen_ai_'))

const meterOf = (tables: ReadonlyMap<string, Table>, trace: TraceRef | undefined): Meter => {
  return {
    add: (name, amount, ...labels) => {
      if (Number.isFinite(amount) && (amount >= 0 || metrics[name].kind === 'gauge'))
        tables.get(name)?.add(labels, amount, trace)
    },
    set: (name, value, ...labels) => {
      if (!Number.isFinite(value)) return
      const one = tables.get(name)?.series(labels)
      if (one !== undefined) one.value = value
    },
    observe: (name, value, ...labels) => {
      if (Number.isFinite(value)) tables.get(name)?.observe(labels, value, trace)
    },
    traced: (other) => meterOf(tables, other),
  }
}

/** A prom-client metric that renders our numbers: its registry prefers `getForPromString` to the metric's own store. */
const rendered = (name: MetricName, table: Table) => {
  const row = metrics[name]
  const configuration = { name, help: row.help, labelNames: [...row.labels], registers: [] }
  const values = (): readonly Sample[] => [...table.all()].flatMap((one) => samplesOf(name, table, one))
  const getForPromString = (): Promise<Family> =>
    Promise.resolve({ name, help: row.help, type: row.kind, values: values() })
  switch (row.kind) {
    case 'counter':
      return Object.assign(new Counter(configuration), { getForPromString })
    case 'gauge':
      return Object.assign(new Gauge(configuration), { getForPromString })
    case 'histogram':
      return Object.assign(new Histogram(configuration), { getForPromString })
  }
}

type Registered = ReturnType<Registry['getMetricsAsArray']>[number]

const familyOf = async (metric: object): Promise<Family> => {
  const source = metric as { getForPromString?: () => Promise<Family>; get: () => Promise<Family> }
  return source.getForPromString === undefined ? source.get() : source.getForPromString()
}

/**
 * The same metrics for a registry that speaks OpenMetrics, where a counter's family has no `_total`: prom-client renames what is
 * registered there, so it gets stand-ins.
 */
const openRegistry = (registry: Registry): Registry<OpenMetricsContentType> => {
  const open = new Registry<OpenMetricsContentType>()
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const metric of registry.getMetricsAsArray() as readonly (Registered & { readonly name: string })[]) {
    const stand = new Gauge({ name: metric.name, help: metric.name, registers: [] })
    open.registerMetric(
      Object.assign(stand, { getForPromString: async () => openFamily(await familyOf(metric)) }),
    )
  }
  return open
}

const openFamily = (family: Family): Family =>
  family.type === 'counter'
    ? {
        ...family,
        name: family.name.replace(/_total$/, ''),
        // Its lines are named after it, with `_total` again.
        values: family.values.map(({ labels, value, exemplar }) => ({
          labels,
          value,
          ...(exemplar && { exemplar }),
        })),
      }
    : family
