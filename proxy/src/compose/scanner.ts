import type { Scanner } from '../core/scanner.ts'
import { tables } from '../scanners/tables.ts'
import { compileScanner } from '../text/scanner.ts'

let last: { readonly key: string; readonly scanner: Scanner } | undefined

/** Every rule of every table, less those that are switched off. Compiled once: a reload that changes no rule costs nothing. Throws an Error for a rule that does not exist. */
export const defaultScanner = (disabled: readonly string[] = []): Scanner => {
  const known = new Set(tables.flatMap(({ rules }) => Object.keys(rules)))
  const unknown = disabled.filter((rule) => !known.has(rule))
  if (unknown.length > 0) throw new Error(`inspection.disableRules: there is no rule ${unknown.join(', ')}`)
  const key = disabled.toSorted().join()
  if (last?.key === key) return last.scanner
  const kept = tables.map(({ category, rules }) => ({
    category,
    rules: Object.fromEntries(Object.entries(rules).filter(([id]) => !disabled.includes(id))),
  }))
  const scanner = compileScanner({ name: 'patterns', tables: kept })
  last = { key, scanner }
  return scanner
}
