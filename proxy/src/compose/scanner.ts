import { readFileSync, writeFileSync } from 'node:fs'
import type { Finding } from '../core/finding.ts'
import type { Scanner } from '../core/scanner.ts'
import { tables } from '../scanners/tables.ts'
import { freezePrograms } from '../text/frozen.ts'
import { compilePrograms } from '../text/program.ts'
import { compileScanner } from '../text/scanner.ts'

let all: Scanner | undefined

/** Every rule of every table, less those that are switched off. Throws an Error for a rule that does not exist. */
export const defaultScanner = (disabled: readonly string[] = []): Scanner => {
  all ??= compileScanner({ name: 'patterns', tables, frozen: readFrozen() })
  const { rules } = all
  const unknown = disabled.filter((rule) => !rules.has(rule))
  if (unknown.length > 0) throw new Error(`inspection.disableRules: there is no rule ${unknown.join(', ')}`)
  return disabled.length === 0 ? all : without(all, new Set(disabled))
}

const without = (scanner: Scanner, disabled: ReadonlySet<string>): Scanner => {
  const kept = (findings: readonly Finding[]): readonly Finding[] =>
    findings.filter(({ rule }) => !disabled.has(rule))
  return {
    name: scanner.name,
    rules: new Map([...scanner.rules].filter(([rule]) => !disabled.has(rule))),
    scan: (text) => kept(scanner.scan(text)),
    open: (holds) => {
      const session = scanner.open((rule, category) => !disabled.has(rule) && holds(rule, category))
      return {
        push: (piece) => kept(session.push(piece)),
        end: () => kept(session.end()),
        get cleared() {
          return session.cleared
        },
      }
    },
  }
}

/** Made by the build, beside the compiled rule tables; a checkout has none and compiles. */
const FROZEN = new URL('../scanners/generated/programs.bin', import.meta.url)

const readFrozen = (): Uint8Array | undefined => {
  try {
    return readFileSync(FROZEN)
  } catch {
    return undefined
  }
}

/** For the build: compiles the rules and keeps the result. */
export const writeFrozen = (file: URL = FROZEN): void =>
  writeFileSync(file, freezePrograms(compilePrograms(tables), tables))
