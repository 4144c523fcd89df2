import { expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Panel } from './dashboards/board.ts'
import { boards } from './dashboards/all.ts'
import { alerts, groups } from './rules/all.ts'

const FOLDER = join(import.meta.dirname, 'runbooks')
const names = readdirSync(FOLDER).map((file) => file.replace(/\.md$/, ''))

/** What a runbook says to look at in Grafana: titles as the browser shows them. */
const lookedAt = (name: string): readonly { readonly board: string; readonly panels: readonly string[] }[] =>
  [...readFileSync(join(FOLDER, `${name}.md`), 'utf8').matchAll(/^- Dashboard \*\*(.+?)\*\*: (.+)$/gm)].map(
    ([, board = '', panels = '']) => ({
      board,
      panels: [...panels.matchAll(/\*\*(.+?)\*\*/g)].map(([, panel = '']) => panel),
    }),
  )

const panelsOf = (title: string): readonly Panel[] =>
  boards
    .filter((board) => `Postern / ${board.title}` === title)
    .flatMap(({ rows }) => rows.flatMap(({ panels }) => panels))

test.each(names)('%s names a dashboard and panels that exist', (name) => {
  const places = lookedAt(name)
  expect(places).not.toEqual([])
  for (const { board, panels } of places) {
    expect([board, panelsOf(board).length > 0, panels.length > 0]).toEqual([board, true, true])
    const there = panelsOf(board).map(({ title }) => title)
    expect(panels.filter((panel) => !there.includes(panel))).toEqual([])
  }
})

const recordings = new Map(
  groups.flatMap(({ rules }) =>
    rules.flatMap((rule) => ('record' in rule ? [[rule.record, rule.expr] as const] : [])),
  ),
)

/** Metrics that a query reads, through recording rules. */
const metricsOf = (expr: string): readonly string[] =>
  [...expr.matchAll(/\b(?:postern[_:][\w:]+|process_\w+)/g)].flatMap(([name]) => {
    const recorded = recordings.get(name as `postern:${string}`)
    return recorded === undefined ? [name.replace(/_(?:bucket|sum|count)$/, '')] : metricsOf(recorded)
  })

/** Alerts whose own metric is on no panel, and what the runbook shows instead. */
const BESIDE: Readonly<Record<string, string>> = {
  PosternScrapeFailing:
    'a guard that cannot be scraped has no metric: it is missing from those that take traffic',
  PosternOutcomeDisparity:
    'its metric is the judgement over the ratio and the p-value, which the panels show',
}

test.each(alerts.filter(({ alert }) => !(alert in BESIDE)))(
  'the runbook of $alert leads to a panel with what the alert is about',
  ({ alert, expr }) => {
    const about = new Set(metricsOf(expr))
    const shown = lookedAt(alert).flatMap(({ board, panels }) =>
      panelsOf(board)
        .filter(({ title }) => panels.includes(title))
        .flatMap(({ queries }) => queries.flatMap((query) => metricsOf(query.expr))),
    )
    expect(shown.filter((metric) => about.has(metric))).not.toEqual([])
  },
)
