import { isObject, type Json, type JsonObject } from '../core/json.ts'
import type { Page } from './shell.ts'
import { foreign, h, visible, type Tree } from './tree.ts'

/** Name, short and long, of what becomes of a part. */
const TREATMENTS = {
  scanned: 'Scanned',
  closed: 'Fixed words',
  number: 'Numbers',
  passed: 'Passed unread',
  dropped: 'Left out',
  refused: 'Refused',
} as const

const DIRECTIONS: Readonly<Record<string, string>> = {
  request: 'Request',
  response: 'Whole answer',
  stream: 'Streamed answer',
  error: 'Error of the model server',
}

/** The table of `GET /coverage`: all routes, or one with its parts. */
export const coveragePage = (coverage: Json, name: string | undefined): Page => {
  const routes = Array.isArray(coverage) ? (coverage as readonly Json[]).filter(isObject) : []
  const one = name === undefined ? undefined : routes.find((route) => route['name'] === name)
  return {
    title: one ? `Coverage of ${text(one['name'])}` : 'Coverage',
    here: '/ui/coverage',
    main: one ? oneRoute(one) : allRoutes(routes),
  }
}

const allRoutes = (routes: readonly JsonObject[]): readonly Tree[] => [
  h('h1', {}, 'Coverage'),
  h(
    'p',
    {},
    'What becomes of each part of what is exchanged, under the configuration of this guard. Every string has exactly one row; what has no row of its own is under "any other key".',
  ),
  table({
    caption: 'Routes, and how many parts of each are treated how',
    columns: ['Route', 'Method and path', 'Inspected', ...Object.values(TREATMENTS)],
    rows: routes.map(routeRow),
  }),
]

const routeRow = (route: JsonObject): Tree => {
  const rows = rowsOf(route)
  const name = text(route['name'])
  const inspected = route['inspected'] === true
  const count = (treatment: string): number => rows.filter((row) => row['treatment'] === treatment).length
  return h(
    'tr',
    {},
    h(
      'th',
      { scope: 'row' },
      h('a', { href: `/ui/coverage?route=${encodeURIComponent(name.toWellFormed())}` }, foreign(name)),
    ),
    h('td', {}, h('code', {}, visible(`${text(route['method'])} ${text(route['path'])}`))),
    h(
      'td',
      { class: 'wrap' },
      inspected ? 'Both directions' : foreign(text(route['warning'] ?? route['why'])),
    ),
    ...Object.keys(TREATMENTS).map((treatment) =>
      h('td', { class: 'number' }, inspected ? String(count(treatment)) : '–'),
    ),
  )
}

const oneRoute = (route: JsonObject): readonly Tree[] => {
  const rows = rowsOf(route)
  return [
    h('p', { class: 'crumb' }, h('a', { href: '/ui/coverage' }, 'Coverage')),
    h('h1', {}, foreign(text(route['name']))),
    h('p', {}, h('code', {}, visible(`${text(route['method'])} ${text(route['path'])}`))),
    ...(rows.length === 0 ? [h('p', {}, foreign(text(route['warning'] ?? route['why'])))] : [HELP]),
    ...Object.keys(DIRECTIONS).flatMap((direction) => part(direction, rows)),
  ]
}

const HELP = h(
  'p',
  { class: 'summary' },
  'In a part, * is any index or key, [type=a|b] tells objects apart by a key, # steps into JSON in a string, ~key is the key itself, and a last ** is everything below that no other row names.',
)

const part = (direction: string, rows: readonly JsonObject[]): readonly Tree[] => {
  const found = rows.filter((row) => row['direction'] === direction)
  if (found.length === 0) return []
  const title = DIRECTIONS[direction] ?? direction
  return [
    h('h2', {}, title),
    table({
      caption: title,
      columns: ['Part', 'Treatment', 'As', 'Note'],
      rows: found.map((row) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row', class: 'wrap' }, h('code', {}, visible(text(row['part'])))),
          h('td', {}, treatment(text(row['treatment']))),
          h(
            'td',
            {},
            visible(
              [row['role'], row['channel']]
                .filter((one) => one !== undefined)
                .map(text)
                .join(' '),
            ),
          ),
          h('td', { class: 'wrap' }, foreign(text(row['note']))),
        ),
      ),
    }),
  ]
}

const treatment = (name: string): Tree =>
  h(
    'span',
    { class: `treatment t-${Object.hasOwn(TREATMENTS, name) ? name : 'passed'}` },
    Object.hasOwn(TREATMENTS, name) ? TREATMENTS[name as keyof typeof TREATMENTS] : visible(name),
  )

interface Table {
  readonly caption: string
  readonly columns: readonly string[]
  readonly rows: readonly Tree[]
}

const table = ({ caption, columns, rows }: Table): Tree =>
  h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, ...columns.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, ...rows),
    ),
  )

const rowsOf = (route: JsonObject): readonly JsonObject[] => {
  const rows = route['rows']
  return Array.isArray(rows) ? (rows as readonly Json[]).filter(isObject) : []
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
