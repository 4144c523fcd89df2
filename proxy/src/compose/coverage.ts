import type { Config } from '../config/schema.ts'
import type { CoverageRow, Dialect } from '../core/dialect.ts'
import type { Route } from '../core/exchange.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { shownPath } from '../core/routes.ts'
import { unnamedExtra } from '../dialects/request.ts'
import { dialects } from './routes.ts'

type Inspection = Pick<Config['inspection'], 'allowNonText' | 'extras'>

/** Per route and part: what is scanned, skipped and why, or refused, under this configuration. */
export const coverage = (
  routes: readonly Route[],
  { inspection }: { readonly inspection: Inspection },
): Json =>
  routes.map((route): JsonObject => {
    const { name, method, query, kind, inspect } = route
    const path = shownPath(route)
    const about = { name, method, path, query, kind, inspected: inspect && kind === 'dialect' }
    const dialect = dialects.get(name)
    return kind === 'dialect' && dialect
      ? { ...about, ...dialectCoverage(dialect, inspection) }
      : { ...about, ...notes[kind] }
  })

/** Why the bodies of a route that speaks no dialect are not scanned. */
export const notes: Readonly<Record<Route['kind'], { readonly why?: string; readonly warning?: string }>> = {
  dialect: {},
  uninspected: {
    warning:
      'Nothing is inspected in either direction: whatever a caller that policy lets in sends or gets, passes.',
  },
  models: { why: 'The request has no body; the answer has model names from the configuration.' },
  auth: {
    why: 'The guard itself reads the user name and password; the answer is a token that the guard made.',
  },
  token: { why: 'The guard itself reads the client credentials; the answer is a token that the guard made.' },
  jwks: { why: 'The request has no body; the answer is the public keys of the guard.' },
  health: { why: 'The request has no body; the answer says only whether the guard serves.' },
}

const dialectCoverage = (dialect: Dialect, { allowNonText, extras }: Inspection): JsonObject => {
  const takesExtras = dialect.coverage.some(({ permit }) => permit === 'extra')
  const takesNonText = dialect.coverage.some(({ permit }) => permit === 'nonText')
  const allowed = takesExtras ? extras : []
  const rows = [
    ...dialect.coverage.map((row) => underPermit(row, { allowNonText, extras: new Set(allowed) })),
    ...allowed.flatMap((name) => unnamedRows(name, dialect.coverage)),
  ]
  return {
    nonText: takesNonText && allowNonText,
    extras: [...allowed],
    rows: rows.map((row) => ({ ...row })),
  }
}

/** The first step of a part, which is the name of an extra. */
export const keyOf = ({ part }: Pick<CoverageRow, 'part'>): string => /^\/([^/[#]+)/.exec(part)?.[1] ?? ''

interface Permits {
  readonly allowNonText: boolean
  readonly extras: ReadonlySet<string>
}

/** The row as it is here: refused where the operator has not allowed it. */
const underPermit = (row: CoverageRow, { allowNonText, extras }: Permits): CoverageRow => {
  if (row.permit === undefined) return row
  if (row.permit === 'nonText' ? allowNonText : extras.has(keyOf(row))) return row
  const { direction, part, permit } = row
  const setting = permit === 'nonText' ? 'inspection.allowNonText' : 'inspection.extras'
  return { direction, part, permit, treatment: 'refused', note: `unless ${setting} allows it` }
}

/** Of an extra that the dialect does not know: every string in it is scanned. */
const unnamedRows = (name: string, known: readonly CoverageRow[]): readonly CoverageRow[] =>
  known.some((row) => row.direction === 'request' && keyOf(row) === name)
    ? []
    : unnamedExtra.rows(`/${name}`).map((row) => ({ direction: 'request', ...row, permit: 'extra' }))
