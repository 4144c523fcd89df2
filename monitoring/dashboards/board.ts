import { promql } from '../promql.ts'

/** One panel as data; render.ts makes Grafana's JSON of it. */
export interface Panel {
  /** `series`: lines over time. `stat`: one number. `heat`: a histogram over time. `table`: the newest values, sorted. `matrix`: the same, with rows and columns from two labels. `logs`: log lines. `history`: a coloured row per series over time. */
  readonly kind: 'series' | 'stack' | 'stat' | 'heat' | 'table' | 'matrix' | 'logs' | 'history'
  readonly title: string
  /** What it shows and when to worry: the panel's tooltip. */
  readonly says: string
  readonly unit: Unit
  readonly queries: readonly Query[]
  /** Of 24. */
  readonly width: number
  /** Boards that say more: links at the panel's title. */
  readonly more?: readonly Board['uid'][]
  /** Colours from these values up, lowest first. */
  readonly bands?: Bands
  /** Of a matrix: the labels that make rows and columns, and the field of Grafana that has the value. */
  readonly axes?: { readonly row: string; readonly column: string; readonly value: 'Value' | 'Value #A' }
  /** Words for values: `{ 0: 'no' }`. */
  readonly words?: Readonly<Record<number, string>>
}

export interface Query {
  readonly expr: string
  /** Grafana's legend, such as `{{route}}`. */
  readonly legend: string
  /** Prometheus when absent. */
  readonly from?: 'loki'
}

export type Unit =
  's' | 'reqps' | 'percentunit' | 'short' | 'bytes' | 'ops' | 'none' | 'dateTimeFromNow' | 'suffix: bits'

interface Bands {
  readonly orange?: number
  readonly red?: number
  /** Low values are the bad ones. */
  readonly lowIsBad?: true
}

interface Choice {
  readonly name: string
  readonly label: string
  /** Grafana's query of the values, such as `label_values(metric, label)`. */
  readonly values: string
}

interface NumberBox {
  readonly name: string
  readonly label: string
  readonly preset: string
}

export interface Board {
  /** Part of the dashboard's fixed address; never change it. */
  readonly uid: `postern-${string}`
  readonly title: string
  readonly says: string
  /** Numbers that the viewer types above the board: `$name` in its queries. */
  readonly numbers?: readonly NumberBox[]
  /** What the viewer picks above the board, beside namespace and guard: `$name` in its queries; all at first. */
  readonly choices?: readonly Choice[]
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[]
}

const SCOPE = 'namespace=~"$namespace",instance=~"$instance"'

/** Queries of what the viewer chose, over the time that Grafana thinks right. */
export const chosen = promql({ matchers: SCOPE, over: '$__rate_interval', keep: [] })

/** The same over the whole time shown: for totals and tables. */
export const shown = promql({ matchers: SCOPE, over: '$__range', keep: [] })

/** Red-team runs: pushed by a job, so without a guard's address. For boards with the choices `tool` and `model`. */
export const pushed = promql({
  matchers: 'tool=~"$tool",model=~"$model"',
  over: '$__rate_interval',
  keep: [],
})

/** A series that a recording rule makes. Those have no `instance`. */
export const recorded = (name: `postern:${string}`, matchers = ''): string =>
  `${name}{namespace=~"$namespace"${matchers === '' ? '' : `,${matchers}`}}`

/** Of the whole, which has the labels of the part: 0 when there is no part, nothing when there is no whole. */
export const share = (part: string, whole: string): string =>
  `((${part}) or 0 * (${whole})) / ((${whole}) > 0)`

/** A metric that every Node process may have, of the guards only. */
export const ofGuards = (metric: string): string =>
  `${metric}{${SCOPE}} and on (job, instance) postern_ready{${SCOPE}}`

/** LogQL over audit records of finished exchanges, with the named members as labels; `holding`: texts that a line must have as well. */
export const audited = (
  members: Readonly<Record<string, string>>,
  filter = '',
  holding: readonly string[] = [],
): string => {
  const lines = ['"type":"exchange"', ...holding].map((text) => `|= \`${text}\``).join(' ')
  const labels = Object.entries(members).map(([label, path]) => `${label}="${path}"`)
  const json = `{app="postern",stream="audit",namespace=~"$namespace"} ${lines} | json ${labels.join(', ')}`
  return filter === '' ? json : `${json} | ${filter}`
}
