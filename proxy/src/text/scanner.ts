import { byPlace } from '../core/finding.ts'
import type { Scanner } from '../core/scanner.ts'
import type { RuleTable } from './drafts.ts'
import { wholeTexts } from './layer.ts'
import { thawPrograms } from './frozen.ts'
import { compilePrograms } from './program.ts'
import { openSession } from './session.ts'

export interface ScannerOptions {
  readonly name: string
  readonly tables: readonly RuleTable[]
  /** What `freezePrograms` made of the same tables; ignored when it was made of others. */
  readonly frozen?: Uint8Array | undefined
}

/** Compiles rules into one scanner. Throws SyntaxError or RangeError that names the rule and says what is wrong with it. */
export const compileScanner = ({ name, tables, frozen }: ScannerOptions): Scanner => {
  const programs = (frozen && thawPrograms(frozen, tables)) ?? compilePrograms(tables)
  const read = wholeTexts(
    programs.map((program) => ({ program, held: new Uint8Array(program.machines.length) })),
  )
  return {
    name,
    rules: new Map(
      tables.flatMap(({ category, rules }) => Object.keys(rules).map((rule) => [rule, category] as const)),
    ),
    scan: (text) => read(text).toSorted(byPlace),
    open: (holds) => openSession(programs, holds),
  }
}
