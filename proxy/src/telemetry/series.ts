import type { TraceRef } from '../core/metrics.ts'

/** The last traced observation that fell into a bucket, or the last traced count. */
export interface Exemplar {
  readonly trace: TraceRef
  readonly value: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The numbers of one label combination. In a histogram `value` is the sum and `buckets` counts per bound, not yet added up. */
export interface Series {
  readonly labels: readonly string[]
  value: number
  readonly buckets: number[] | undefined
  /** One for each bucket at most, and one for a counter; undefined until there is any. */
  exemplars: (Exemplar | undefined)[] | undefined
}

/** All label combinations of one metric; at most `maxSeries` and one named `other`. */
export interface Table {
  readonly labels: readonly string[]
  readonly bounds: readonly number[]
  series(labels: readonly string[]): Series
  add(labels: readonly string[], amount: number, trace: TraceRef | undefined): void
  observe(labels: readonly string[], value: number, trace: TraceRef | undefined): void
  all(): Iterable<Series>
}

interface Row {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const MAX_LABEL = 128 // characters; every name from configuration or our own tables is shorter

export const countersOf = (row: Row, maxSeries: number): Table => {
  const bounds = row.buckets ?? []
  const byKey = new Map<string, Series>()
  const make = (labels: readonly string[]): Series => ({
    labels,
    value: 0,
    buckets: row.kind === 'histogram' ? new Array<number>(bounds.length + 1).fill(0) : undefined,
    exemplars: undefined,
  })
  const other = make(row.labels.map(() => 'other'))
  let overflowed = false
  const added = (key: string, labels: readonly string[]): Series => {
    if (byKey.size >= maxSeries) {
      overflowed = true
      return other
    }
    const series = make(row.labels.map((_, i) => (labels[i] ?? '').slice(0, MAX_LABEL)))
    byKey.set(key, series)
    return series
  }
  const series = (labels: readonly string[]): Series => {
    const key = labels.length === 1 ? (labels[0] ?? '') : labels.join('\u0000')
    return byKey.get(key) ?? added(key, labels)
  }
  // A metric without labels is there from the start, so that its absence means that the guard is absent.
  if (row.labels.length === 0) series([])
  return {
    labels: row.labels,
    bounds,
    series,
    add: (labels, amount, trace) => {
      const one = series(labels)
      one.value += amount
      if (trace !== undefined && row.kind === 'counter')
        keep(one, 0, { trace, value: amount, at: Date.now() })
    },
    observe: (labels, value, trace) => {
      const one = series(labels)
      one.value += value
      if (one.buckets === undefined) return
      let i = 0
      while (i < bounds.length && value > (bounds[i] ?? Infinity)) i++
      one.buckets[i] = (one.buckets[i] ?? 0) + 1
      if (trace !== undefined) keep(one, i, { trace, value, at: Date.now() })
    },
    all: () => (overflowed ? [...byKey.values(), other] : byKey.values()),
  }
}

const keep = (series: Series, at: number, exemplar: Exemplar): void => {
  series.exemplars ??= new Array<undefined>(series.buckets?.length ?? 1).fill(undefined)
  series.exemplars[at] = exemplar
}
