import type { Finding } from '../core/finding.ts'
import type { Scanner } from '../core/scanner.ts'
import type { RuleTable } from './drafts.ts'
import { compilePrograms } from './program.ts'
import { take } from './take.ts'
import { restart, type Run, startRun } from './run.ts'
import { settleAtEnd } from './settle.ts'
import { openSession } from './session.ts'

export interface ScannerOptions {
  readonly name: string
  readonly tables: readonly RuleTable[]
}

/** Compiles rules into one scanner. Throws SyntaxError or RangeError that names the rule and says what is wrong with it. */
export const compileScanner = ({ name, tables }: ScannerOptions): Scanner => {
  const programs = compilePrograms(tables)
  const runs = programs.map(startRun)
  return {
    name,
    rules: new Map(
      tables.flatMap(({ category, rules }) => Object.keys(rules).map((rule) => [rule, category] as const)),
    ),
    scan: (text) => {
      const found: Finding[] = []
      for (const run of runs) scanWhole(run, text, found)
      return found.length > 1 ? found.toSorted(byPlace) : found
    },
    open: (holds) => openSession(programs, holds),
  }
}

const scanWhole = (run: Run, text: string, found: Finding[]): void => {
  try {
    take(run, text)
    settleAtEnd(run)
    for (const finding of run.found) found.push(finding)
  } finally {
    // Also after an error: the run is used again, and it must not keep a caller's text.
    restart(run)
  }
}

const byPlace = (a: Finding, b: Finding): number =>
  a.start - b.start || b.end - a.end || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0)
