import type { Scanner } from '../core/scanner.ts'
import { tables } from '../scanners/tables.ts'
import { compileScanner } from '../text/scanner.ts'

/** Every rule of every table, less those that are switched off. Throws an Error for a rule that does not exist. */
export const defaultScanner = (disabled: readonly string[] = []): Scanner => {
  const known = new Set(tables.flatMap(({ rules }) => Object.keys(rules)))
  const unknown = disabled.filter((rule) => !known.has(rule))
  if (unknown.length > 0) throw new Error(`inspection.disableRules: there is no rule ${unknown.join(', ')}`)
  const kept = tables.map(({ category, rules }) => ({
    category,
    rules: Object.fromEntries(Object.entries(rules).filter(([id]) => !disabled.includes(id))),
  }))
  return compileScanner({ name: 'patterns', tables: kept })
}
