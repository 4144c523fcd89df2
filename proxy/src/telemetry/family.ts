import type { Exemplar, Series, Table } from './series.ts'

/** One metric with all its series, as both formats and OTLP are made of it. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly values: readonly Sample[]
}

/** A line of the exposition format. */
export interface Sample {
  /** With `_bucket`, `_sum` or `_count` where it is one of these. */
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly exemplar?: {
    readonly labelSet: { readonly trace_id: string; readonly span_id: string }
    readonly value: number
    /** Seconds since the epoch. */
    readonly timestamp: number
  }
}

/** The lines of one series. */
export const samplesOf = (name: string, table: Table, series: Series): readonly Sample[] => {
  const labels = Object.fromEntries(table.labels.map((label, i) => [label, series.labels[i] ?? '']))
  const traced = (i: number): Pick<Sample, 'exemplar'> => exemplarOf(series.exemplars?.[i])
  if (series.buckets === undefined) return [{ metricName: name, labels, value: series.value, ...traced(0) }]
  let below = 0
  const buckets = [...table.bounds, Infinity].map((bound, i): Sample => {
    below += series.buckets?.[i] ?? 0
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bound === Infinity ? '+Inf' : bound },
      value: below,
      ...traced(i),
    }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: series.value },
    { metricName: `${name}_count`, labels, value: below },
  ]
}

const exemplarOf = (exemplar: Exemplar | undefined): Pick<Sample, 'exemplar'> =>
  exemplar === undefined
    ? {}
    : {
        exemplar: {
          labelSet: { trace_id: exemplar.trace.traceId, span_id: exemplar.trace.spanId },
          value: exemplar.value,
          timestamp: exemplar.at / 1000,
        },
      }
