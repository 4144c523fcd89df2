import { metrics as guardMetrics } from '../proxy/src/core/metrics.ts'
import { secMetrics, type secGroup, type SecMetricName } from './sec-metrics.ts'

const metrics = { ...guardMetrics, ...secMetrics }

type Table = typeof metrics
type MetricName = keyof Table
export type Kind = Table[MetricName]['kind']
type NameOf<K extends Kind> = { [N in MetricName]: Table[N]['kind'] extends K ? N : never }[MetricName]
/** Labels that the scrape adds, on every metric. */
type TargetLabel = 'namespace' | 'pod' | 'instance' | 'job'
/** Labels that the Pushgateway adds, on what was pushed. */
type GroupLabel<N extends MetricName> = N extends SecMetricName ? (typeof secGroup)[number] : never
type LabelOf<N extends MetricName> = Table[N]['labels'][number] | TargetLabel | GroupLabel<N>

/** What a query is narrowed to. Matchers are written as in PromQL, operator first: `{ code: '=~"a|b"' }`. */
export interface Narrow<N extends MetricName> {
  readonly by?: readonly LabelOf<N>[]
  readonly where?: Readonly<Partial<Record<LabelOf<N>, string>>>
  /** A PromQL duration or a Grafana variable, instead of the usual one. */
  readonly over?: string
}

export interface Scope {
  /** Matchers that every selector gets, such as `namespace=~"$namespace"`; may be empty. */
  readonly matchers: string
  /** Over which rates are taken unless a query says otherwise. */
  readonly over: string
  /** Labels that every sum keeps. */
  readonly keep: readonly TargetLabel[]
}

/**
 * PromQL over the proxy's own table of metrics and that of the red team: a metric or a label that is renamed there does not compile here, and a
 * rate of a gauge or a quantile of a counter does not either.
 */
export const promql = (scope: Scope) => {
  const select = <N extends MetricName>(name: N, narrow: Narrow<N> = {}, suffix = ''): string =>
    `${name}${suffix}${braces(scope.matchers, narrow.where)}`
  const summed = (by: readonly string[] = [], more: readonly string[] = []): string => {
    const kept = [...scope.keep, ...more, ...by]
    return kept.length === 0 ? 'sum' : `sum by (${kept.join(', ')})`
  }
  const rateOf = (selector: string, over = scope.over): string => `rate(${selector}[${over}])`
  const histogram = <N extends NameOf<'histogram'>>(name: N, narrow: Narrow<N>, suffix: string): string =>
    `${summed(narrow.by, suffix === '_bucket' ? ['le'] : [])} (${rateOf(select(name, narrow, suffix), narrow.over)})`
  return {
    /** The selector itself, for a gauge. */
    value: <N extends NameOf<'gauge'>>(name: N, narrow: Narrow<N> = {}): string => select(name, narrow),
    sum: <N extends NameOf<'gauge'>>(name: N, narrow: Narrow<N> = {}): string =>
      `${summed(narrow.by)} (${select(name, narrow)})`,
    /** The selector itself, for a counter: how many since the process began. */
    counter: <N extends NameOf<'counter'>>(name: N, narrow: Narrow<N> = {}): string => select(name, narrow),
    /** Events a second. */
    rate: <N extends NameOf<'counter'>>(name: N, narrow: Narrow<N> = {}): string =>
      `${summed(narrow.by)} (${rateOf(select(name, narrow), narrow.over)})`,
    /** Events in the window. */
    increase: <N extends NameOf<'counter'>>(name: N, narrow: Narrow<N> = {}): string =>
      `${summed(narrow.by)} (increase(${select(name, narrow)}[${narrow.over ?? scope.over}]))`,
    /**
     * Above 0 when an event happened in the window. Unlike `increase` it sees the first one, which makes the series appear
     * with the value 1.
     */
    happened: <N extends NameOf<'counter'>>(name: N, narrow: Narrow<N> = {}): string => {
      const over = narrow.over ?? scope.over
      const selector = select(name, narrow)
      return `(${summed(narrow.by)} (increase(${selector}[${over}]) > 0) or ${summed(narrow.by)} (${selector} > 0 unless ${selector} offset ${over}))`
    },
    quantile: <N extends NameOf<'histogram'>>(q: number, name: N, narrow: Narrow<N> = {}): string =>
      `histogram_quantile(${q}, ${histogram(name, narrow, '_bucket')})`,
    mean: <N extends NameOf<'histogram'>>(name: N, narrow: Narrow<N> = {}): string =>
      `${histogram(name, narrow, '_sum')} / ${histogram(name, narrow, '_count')}`,
    /** Observations a second. */
    observed: <N extends NameOf<'histogram'>>(name: N, narrow: Narrow<N> = {}): string =>
      histogram(name, narrow, '_count'),
    /** Observations a second per bucket, for heatmaps. */
    buckets: <N extends NameOf<'histogram'>>(name: N, narrow: Narrow<N> = {}): string =>
      histogram(name, narrow, '_bucket'),
    /** Share of observations above a bucket's bound; throws when the histogram has no such bucket. */
    slower: <N extends NameOf<'histogram'>>(bound: number, name: N, narrow: Narrow<N> = {}): string => {
      const { buckets }: { readonly buckets: readonly number[] } = metrics[name]
      if (!buckets.includes(bound)) throw new Error(`${name} has no bucket of ${bound}`)
      const within = `${name}_bucket${braces(scope.matchers, { ...narrow.where, le: `="${bound}"` })}`
      return `1 - (${summed(narrow.by)} (${rateOf(within, narrow.over)}) / ${histogram(name, narrow, '_count')})`
    },
  }
}

const braces = (matchers: string, where: Readonly<Record<string, string | undefined>> = {}): string => {
  const all = [matchers, ...Object.entries(where).map(([label, match]) => `${label}${match ?? ''}`)].filter(
    (one) => one !== '',
  )
  return all.length === 0 ? '' : `{${all.join(',')}}`
}
