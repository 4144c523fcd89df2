import { promql } from '../promql.ts'

/** A rule is a row. `page` wakes somebody, `ticket` is for working hours. */
export interface Alert {
  readonly alert: `Postern${string}`
  readonly expr: string
  readonly for: string
  readonly severity: 'page' | 'ticket'
  /** One sentence: what is wrong for whom. May use `{{ $labels.x }}` and `{{ $value }}`. */
  readonly summary: string
}

export interface Recording {
  readonly record: `postern:${string}`
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface Group {
  readonly name: `postern-${string}`
  readonly rules: readonly (Alert | Recording)[]
}

/** Of each namespace; the label is absent where the scrape sets none, which is a group of its own. */
export const perNamespace = promql({ matchers: '', over: '5m', keep: ['namespace'] })

/** Of each guard. */
export const perGuard = promql({ matchers: '', over: '5m', keep: ['namespace', 'pod', 'instance'] })

/** The controller exposes the gauges of the guard too, and never sets them. */
export const GUARDS = { job: '!~".*controller.*"' } as const
