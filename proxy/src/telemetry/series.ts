/** The numbers of one label combination. In a histogram `value` is the sum and `buckets` counts per bound, not yet added up. */
export interface Series {
  readonly labels: readonly string[]
  value: number
  readonly buckets: number[] | undefined
}

/** All label combinations of one metric; at most `maxSeries` and one named `other`. */
export interface Table {
  readonly labels: readonly string[]
  readonly bounds: readonly number[]
  series(labels: readonly string[]): Series
  observe(labels: readonly string[], value: number): void
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
    observe: (labels, value) => {
      const one = series(labels)
      one.value += value
      if (one.buckets === undefined) return
      let i = 0
      while (i < bounds.length && value > (bounds[i] ?? Infinity)) i++
      one.buckets[i] = (one.buckets[i] ?? 0) + 1
    },
    all: () => (overflowed ? [...byKey.values(), other] : byKey.values()),
  }
}
