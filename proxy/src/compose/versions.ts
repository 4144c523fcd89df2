import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { AuditVersions } from '../core/audit.ts'
import type { Scanner } from '../core/scanner.ts'
import { tables } from '../scanners/tables.ts'

/** What judges: the guard's version and the first 16 hex digits of the SHA-256 of the rules that are switched on, their checks included. */
export const versionsOf = (scanner: Pick<Scanner, 'rules'>): AuditVersions => ({
  guard: guardVersion(),
  rules: hash('sha256', JSON.stringify([rulesText(), [...scanner.rules.keys()].sort()])).slice(0, 16),
})

let rules: string | undefined

/** A check is code: its source counts, so that a changed check is another set of rules. */
const rulesText = (): string =>
  (rules ??= JSON.stringify(tables, (_, value: unknown) =>
    typeof value === 'function' ? value.toString() : value,
  ))

let version: string | undefined

/** Beside the sources and beside the compiled guard alike. */
export const guardVersion = (): string =>
  (version ??= (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      readonly version: string
    }
  ).version)
