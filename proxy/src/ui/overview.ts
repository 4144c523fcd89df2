import { behaviourSection } from './behaviour.ts'
import { chart } from './charts.ts'
import { addedMs, type Named, type Percent, type Series } from './hour.ts'
import { compact } from './scale.ts'
import { liveBar, type Page } from './shell.ts'
import type { Shown } from './state.ts'
import { foreign, h, type Tree } from './tree.ts'
import { decisionRow, decisionTable, outcomeNames, outcomes } from './words.ts'

export type Span = 'hour' | 'minutes'

const LATEST = 8

export const overview = (shown: Shown, span: Span): Page => {
  const series = shown.hour.series(span)
  return {
    title: 'Overview',
    here: '/ui',
    live: `view=overview&span=${span}`,
    main: [
      h('div', { class: 'head' }, h('h1', {}, 'Overview'), spans(span), liveBar()),
      tiles(series, span),
      charts(series, span),
      latest(shown),
      ...(shown.behaviour === undefined ? [] : [behaviourSection(shown.behaviour())]),
    ],
  }
}

const spans = (span: Span): Tree =>
  h(
    'ul',
    { class: 'choice', 'aria-label': 'Time shown' },
    ...(['hour', 'minutes'] as const).map((one) =>
      h(
        'li',
        {},
        h(
          'a',
          {
            href: one === 'hour' ? '/ui' : '/ui?span=minutes',
            ...(one === span && { 'aria-current': 'true' }),
          },
          spanName(one),
        ),
      ),
    ),
  )

const spanName = (span: Span): string => (span === 'hour' ? 'Last hour' : 'Last 10 minutes')

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

/** The numbers that say whether to look further. */
export const tiles = (series: Series, span: Span): Tree => {
  const requests = outcomeNames.reduce((all, name) => all + sum(series.outcomes[name]), 0)
  const refused = sum(series.outcomes.refused) + sum(series.outcomes.cut)
  const failed = sum(series.outcomes.failed)
  const findings = series.rules.reduce((all, { total }) => all + total, 0)
  const share = (part: number): string => (requests === 0 ? '–' : `${compact((100 * part) / requests)} %`)
  return h(
    'section',
    { id: 'tiles', 'aria-label': `Numbers, ${spanName(span).toLowerCase()}` },
    h(
      'dl',
      { class: 'tiles' },
      tile('Requests', compact(requests), `${compact(requests / (span === 'hour' ? 60 : 10))} a minute`),
      tile('Refused or cut', compact(refused), share(refused)),
      tile('Failed', compact(failed), share(failed)),
      tile(
        'Findings',
        compact(findings),
        `${series.rules.length} ${series.rules.length === 1 ? 'rule' : 'rules'}`,
      ),
      tile(
        'Added latency',
        milliseconds(series.overall.p50),
        `p95 ${milliseconds(series.overall.p95)}, p99 ${milliseconds(series.overall.p99)}`,
      ),
      tile(
        'Tokens',
        compact(sum(series.tokens.input) + sum(series.tokens.output)),
        `${compact(sum(series.tokens.input))} in, ${compact(sum(series.tokens.output))} out`,
      ),
    ),
  )
}

const tile = (name: string, value: string, more: string): Tree =>
  h('div', {}, h('dt', {}, name), h('dd', { class: 'value' }, value), h('dd', { class: 'more' }, more))

const milliseconds = (ms: number | undefined): string => (ms === undefined ? '–' : `${compact(ms)} ms`)

export const charts = (series: Series, span: Span): Tree => {
  const each = span === 'hour' ? 'a minute' : 'in 10 seconds'
  return h(
    'section',
    { id: 'charts', 'aria-labelledby': 'charts-h' },
    h('h2', { id: 'charts-h' }, spanName(span)),
    h(
      'div',
      { class: 'charts' },
      requestsChart(series, each),
      latencyChart(series),
      findingsChart(series, each),
      tokensChart(series, each),
      ranking({ id: 'reasons', title: 'Why requests ended badly', none: 'None did.', rows: series.reasons }),
      ranking({ id: 'rules', title: 'Findings by rule', none: 'Nothing was found.', rows: series.rules }),
    ),
  )
}

const requestsChart = ({ outcomes: counted, times }: Series, each: string): Tree => {
  const used = outcomeNames.filter(
    (name) => name === 'allowed' || name === 'refused' || sum(counted[name]) > 0,
  )
  const said = used.map((name) => `${compact(sum(counted[name]))} ${outcomes[name].name.toLowerCase()}`)
  return chart({
    id: 'requests',
    title: `Requests ${each}`,
    summary: `${said.join(', ')}.`,
    kind: 'bars',
    lines: used.map((name) => ({
      name: outcomes[name].name,
      colour: outcomes[name].colour,
      values: counted[name],
    })),
    times,
    unit: '',
  })
}

const PERCENTS: readonly (readonly [Percent, string])[] = [
  ['p50', 'c1'],
  ['p95', 'c2'],
  ['p99', 'c4'],
]

const latencyChart = ({ latency, overall, times }: Series): Tree =>
  chart({
    id: 'latency',
    title: 'Latency that the guard adds, ms',
    summary:
      overall.p50 === undefined
        ? 'Nothing was measured.'
        : `Half within ${milliseconds(overall.p50)}, 95 % within ${milliseconds(overall.p95)}, 99 % within ${milliseconds(overall.p99)}.`,
    kind: 'lines',
    lines: PERCENTS.map(([name, colour]) => ({ name, colour, values: latency[name] })),
    times,
    unit: ' ms',
  })

const TOP_RULES = 4

const findingsChart = ({ rules, times }: Series, each: string): Tree => {
  const top = rules.slice(0, TOP_RULES)
  const rest = rules.slice(TOP_RULES)
  const others = times.map((_, step) => rest.reduce((all, { values }) => all + (values[step] ?? 0), 0))
  return chart({
    id: 'findings',
    title: `Findings ${each}`,
    summary:
      rules.length === 0
        ? 'Nothing was found.'
        : `${compact(rules.reduce((all, { total }) => all + total, 0))} findings of ${rules.length} rules; most of ${top[0]?.name ?? ''}.`,
    kind: 'bars',
    lines: [
      ...top.map(({ name, values }, index) => ({ name, colour: `c${index + 1}`, values })),
      ...(rest.length > 0 ? [{ name: 'all other rules', colour: 'c6', values: others }] : []),
    ],
    times,
    unit: '',
  })
}

const tokensChart = ({ tokens, times }: Series, each: string): Tree =>
  chart({
    id: 'tokens',
    title: `Tokens ${each}`,
    summary: `${compact(sum(tokens.input))} in prompts, ${compact(sum(tokens.output))} in answers.`,
    kind: 'bars',
    lines: [
      { name: 'prompts', colour: 'c1', values: tokens.input },
      { name: 'answers', colour: 'c2', values: tokens.output },
    ],
    times,
    unit: '',
  })

interface Ranking {
  readonly id: string
  readonly title: string
  readonly none: string
  readonly rows: readonly Named[]
}

const SHOWN = 8

const ranking = ({ id, title, none, rows }: Ranking): Tree => {
  const most = rows[0]?.total ?? 1
  return h(
    'section',
    { class: 'chart', 'aria-labelledby': `${id}-h` },
    h('h3', { id: `${id}-h` }, title),
    rows.length === 0
      ? h('p', { class: 'summary' }, none)
      : h(
          'table',
          { class: 'ranking' },
          h('caption', { class: 'unseen' }, title),
          h(
            'thead',
            { class: 'unseen' },
            h('tr', {}, h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Count')),
          ),
          h('tbody', {}, ...rows.slice(0, SHOWN).map((row) => rank(row, { most, id }))),
        ),
    ...(rows.length > SHOWN ? [h('p', { class: 'summary' }, `and ${rows.length - SHOWN} more`)] : []),
  )
}

const rank = ({ name, total }: Named, { most, id }: { most: number; id: string }): Tree =>
  h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row' },
      id === 'rules' && name !== 'other'
        ? h('a', { href: `/ui/decisions?rule=${encodeURIComponent(name.toWellFormed())}` }, foreign(name))
        : foreign(name),
    ),
    h(
      'td',
      {},
      h(
        'svg',
        { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        h('rect', { class: 'rank', width: Math.max(1, Math.round((100 * total) / most)), height: 8 }),
      ),
      h('span', {}, compact(total)),
    ),
  )

export const latest = ({ decisions }: Shown): Tree => {
  const rows = decisions.recent({ limit: LATEST })
  return h(
    'section',
    { id: 'latest', 'aria-labelledby': 'latest-h' },
    h('h2', { id: 'latest-h' }, 'Latest decisions'),
    rows.length === 0
      ? h('p', {}, 'None yet. They appear here as soon as somebody asks the model something.')
      : decisionTable(
          rows.map((one) => decisionRow(one, addedMs(one))),
          { id: 'latest-rows', caption: 'Latest decisions' },
        ),
    h('p', {}, h('a', { href: '/ui/decisions' }, 'All decisions')),
  )
}
