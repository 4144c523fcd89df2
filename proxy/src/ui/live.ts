import { filterOf } from './decisions.ts'
import { healthPart } from './health.ts'
import { addedMs, type Series } from './hour.ts'
import { charts, latest, tiles, type Span } from './overview.ts'
import { readyPart } from './shell.ts'
import type { Shown } from './state.ts'
import type { Tree } from './tree.ts'
import { decisionRow } from './words.ts'

/** What is new on a page: rows to put on top, and elements to put in the place of those with the same id. */
export interface News {
  /** Number of the newest decision that this knows of. */
  readonly after: number
  readonly rows: readonly Tree[]
  /** As the server knows them: the HTML of an element is what JSON of it says. */
  readonly parts: readonly Tree[]
  /** Decisions that fit and are not among the rows. */
  readonly more: boolean
}

export interface NewsSource {
  /** Of the page that the query names. */
  news(query: URLSearchParams, after: number): News
}

/** Rows of one piece of news: when more came, the newest are enough. */
const MAX_ROWS = 50
const PARTS_MS = 2000
const CHARTS_MS = 10_000

/**
 * What many readers see is made once for all: the tiles and the latest decisions every two seconds, the charts every ten, and only
 * while somebody looks. So a hundred readers cost the guard as much as one.
 */
export const newsSource = (shown: Shown, now: () => number = () => performance.now()): NewsSource => {
  const kept = new Map<string, { readonly madeAt: number; readonly part: Tree }>()
  const every = (name: string, ms: number, make: () => Tree): Tree => {
    const known = kept.get(name)
    if (known && now() - known.madeAt < ms) return known.part
    const part = make()
    kept.set(name, { madeAt: now(), part })
    return part
  }
  const overviewParts = (span: Span): readonly Tree[] => {
    let series: Series | undefined
    const counted = (): Series => (series ??= shown.hour.series(span))
    return [
      every(`tiles ${span}`, PARTS_MS, () => tiles(counted(), span)),
      every(`charts ${span}`, CHARTS_MS, () => charts(counted(), span)),
      every('latest', PARTS_MS, () => latest(shown)),
    ]
  }
  const partsOf = (view: string | null, span: Span): readonly Tree[] => [
    every('ready', PARTS_MS, () => readyPart(shown.state())),
    ...(view === 'overview' ? overviewParts(span) : []),
    ...(view === 'health' ? [every('health', PARTS_MS, () => healthPart(shown))] : []),
  ]
  return {
    news: (query, after) => {
      const view = query.get('view')
      const count = shown.decisions.count
      // A number of the future is one of another life of the guard.
      const from = after > count ? 0 : after
      const fresh =
        view === 'decisions'
          ? shown.decisions.recent({ filter: filterOf(query), after: from, limit: MAX_ROWS + 1 })
          : []
      return {
        after: count,
        rows: fresh.slice(0, MAX_ROWS).map((one) => decisionRow(one, addedMs(one))),
        parts: partsOf(view, query.get('span') === 'minutes' ? 'minutes' : 'hour'),
        more: fresh.length > MAX_ROWS,
      }
    },
  }
}
