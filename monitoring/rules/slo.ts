import type { Alert, Group, Recording } from './rule.ts'
import { perNamespace } from './rule.ts'

/** Refusals that are the guard's own fault, not the caller's, the policy's or the model's. */
const OWN_FAULT = '=~"guard_failed|guard_unavailable"'

/** What the objectives allow over 30 days. */
const OBJECTIVES = {
  unavailable: {
    allowed: 0.001,
    ratio: (over: string) => {
      const all = perNamespace.rate('postern_requests_total', { over })
      const bad = perNamespace.rate('postern_refusals_total', { where: { code: OWN_FAULT }, over })
      return `(${bad} or 0 * ${all}) / ${all}`
    },
  },
  slow: {
    allowed: 0.01,
    // A bucket of the histogram; ten times what a guard with the built-in policy takes at the 99th percentile.
    ratio: (over: string) => perNamespace.slower(0.025, 'postern_guard_seconds', { over }),
  },
} as const

type Objective = keyof typeof OBJECTIVES

/**
 * Windows and factors of "Alerting on SLOs" in Google's SRE workbook, chapter 5, table 5-8: the long window says that it
 * matters, the short one that it is still so.
 */
const BURNS = [
  {
    speed: 'Fast',
    severity: 'page',
    for: '2m',
    pairs: [
      { long: '1h', short: '5m', factor: 14.4 },
      { long: '6h', short: '30m', factor: 6 },
    ],
  },
  {
    speed: 'Slow',
    severity: 'ticket',
    for: '15m',
    pairs: [
      { long: '1d', short: '2h', factor: 3 },
      { long: '3d', short: '6h', factor: 1 },
    ],
  },
] as const

const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'] as const

const recordings = (objective: Objective): readonly Recording[] =>
  WINDOWS.map((window) => ({
    record: `postern:${objective}:ratio_rate${window}`,
    expr: OBJECTIVES[objective].ratio(window),
  }))

const burning = (objective: Objective, name: string, summary: string): readonly Alert[] =>
  BURNS.map(({ speed, severity, for: lasting, pairs }) => ({
    alert: `Postern${name}Budget${speed}`,
    expr: pairs
      .map(({ long, short, factor }) => {
        const limit = `${factor} * ${OBJECTIVES[objective].allowed}`
        return `(postern:${objective}:ratio_rate${long} > ${limit} and postern:${objective}:ratio_rate${short} > ${limit})`
      })
      .join('\nor\n'),
    for: lasting,
    severity,
    summary,
  }))

export const slo: readonly Group[] = [
  {
    name: 'postern-slo',
    rules: [
      ...recordings('unavailable'),
      ...recordings('slow'),
      ...burning(
        'unavailable',
        'Availability',
        'Of the requests in {{ $labels.namespace }}, {{ $value | humanizePercentage }} are refused because the guard cannot check them; the month allows 0.1 %.',
      ),
      ...burning(
        'slow',
        'Latency',
        'The guard adds more than 25 ms to {{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }}; the month allows 1 %.',
      ),
    ],
  },
]
