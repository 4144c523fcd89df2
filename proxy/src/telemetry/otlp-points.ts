import { ValueType, type Attributes, type HrTime } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  type DataPoint,
  type HistogramMetricData,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import type { Family, Sample } from './family.ts'
import { genAiLabelNames, genAiMetricNames, providerNames, type GenAiNames } from './semconv.ts'

export interface ConventionOptions {
  /** `gen_ai.provider.name` of the model servers, such as `vllm`; left out when undefined. */
  readonly provider: string | undefined
  readonly genAiNames: GenAiNames
}

interface Times {
  readonly startTime: HrTime
  readonly endTime: HrTime
}

/**
 * One metric for OTLP: under its Prometheus name, or under the dotted name of the GenAI conventions when it is one of
 * theirs. Nothing for a metric without series, and for kinds that OTLP has not.
 */
export const metricData = (
  family: Family,
  times: Times,
  options: ConventionOptions,
): readonly MetricData[] => {
  if (family.values.length === 0) return []
  const { name, unit } = named(family.name)
  const base = {
    descriptor: { name, description: family.help, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  const attributes = attributesFor(family.name, options)
  const points = () =>
    family.values.map(({ labels, value }): DataPoint<number> => ({
      ...times,
      attributes: attributes(labels),
      value,
    }))
  switch (family.type) {
    case 'counter':
      return [{ ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points() }]
    case 'gauge':
      return [{ ...base, dataPointType: DataPointType.GAUGE, dataPoints: points() }]
    case 'histogram':
      return [
        {
          ...base,
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: histograms(family.values).map(({ labels, value }) => ({
            ...times,
            attributes: attributes(labels),
            value,
          })),
        },
      ]
    case 'summary':
      return []
  }
}

const named = (name: string): { readonly name: string; readonly unit: string } => {
  if (isGenAi(name)) return genAiMetricNames[name]
  if (/_seconds(_total)?$/.test(name)) return { name, unit: 's' }
  if (/_bytes(_total)?$/.test(name)) return { name, unit: 'By' }
  return { name, unit: '' }
}

const isGenAi = (name: string): name is keyof typeof genAiMetricNames => Object.hasOwn(genAiMetricNames, name)

type Labels = Sample['labels']

const attributesFor = (name: string, { provider, genAiNames }: ConventionOptions) => {
  if (!isGenAi(name)) return (labels: Labels): Attributes => labels
  const providers =
    provider === undefined ? {} : Object.fromEntries(providerNames[genAiNames].map((key) => [key, provider]))
  // A label that is empty at `/metrics` is absent.
  return (labels: Labels): Attributes => ({
    ...providers,
    ...Object.fromEntries(
      Object.entries(labels)
        .filter(([, value]) => value !== '')
        .map(([label, value]) => [genAiLabelNames[label as keyof typeof genAiLabelNames], value]),
    ),
  })
}

type HistogramValue = HistogramMetricData['dataPoints'][number]['value']

interface Held {
  readonly labels: Labels
  readonly boundaries: number[]
  /** Not added up, as OTLP wants them. */
  readonly counts: number[]
  below: number
  sum: number
}

/** Lines of the exposition format back to one value for each series. */
const histograms = (
  samples: readonly Sample[],
): readonly { readonly labels: Labels; readonly value: HistogramValue }[] => {
  const byLabels = new Map<string, Held>()
  for (const { metricName = '', labels: all, value } of samples) {
    const { le, ...labels } = all
    const key = JSON.stringify(labels)
    const held = byLabels.get(key) ?? { labels, boundaries: [], counts: [], below: 0, sum: 0 }
    byLabels.set(key, held)
    if (metricName.endsWith('_sum')) held.sum = value
    if (!metricName.endsWith('_bucket') || le === undefined) continue
    held.counts.push(value - held.below)
    held.below = value
    if (le !== '+Inf') held.boundaries.push(Number(le))
  }
  return [...byLabels.values()].map(({ labels, boundaries, counts, below, sum }) => ({
    labels,
    value: { buckets: { boundaries, counts }, sum, count: below },
  }))
}
