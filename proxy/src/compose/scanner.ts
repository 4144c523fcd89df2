import { readFileSync, writeFileSync } from 'node:fs'
import type { Category, Finding } from '../core/finding.ts'
import type { ArgumentCheck, Scanner } from '../core/scanner.ts'
import { activeContent } from '../output/active-content.ts'
import { argumentCheck, argumentRules } from '../output/arguments.ts'
import { repetition } from '../output/repetition.ts'
import { together } from '../output/together.ts'
import { tables } from '../scanners/tables.ts'
import { freezePrograms } from '../text/frozen.ts'
import { compilePrograms } from '../text/program.ts'
import { compileScanner } from '../text/scanner.ts'

let all: Scanner | undefined

/** Every rule of every table, less those that are switched off. Throws an Error for a rule that does not exist. */
export const defaultScanner = (disabled: readonly string[] = []): Scanner => {
  all ??= compileScanner({ name: 'patterns', tables, frozen: readFrozen() })
  const { rules } = all
  const unknown = disabled.filter((rule) => !rules.has(rule) && !outputRules.has(rule))
  if (unknown.length > 0) throw new Error(`inspection.disableRules: there is no rule ${unknown.join(', ')}`)
  return disabled.length === 0 ? all : without(all, new Set(disabled))
}

const answers = together('answers', [activeContent, repetition])

/** Rules for answers and the arguments of tool calls only, with their categories. */
export const outputRules: ReadonlyMap<string, Category> = new Map<string, Category>([
  ...answers.rules,
  ...Object.entries(argumentRules),
])

/** What looks at answers: the same rules as for requests, and those for answers only. */
export const answerScanner = (scanner: Scanner, disabled: readonly string[] = []): Scanner =>
  together(scanner.name, [scanner, disabled.length === 0 ? answers : without(answers, new Set(disabled))])

/** What looks at the arguments of tool calls besides. */
export const argumentScanner = (disabled: readonly string[] = []): ArgumentCheck => {
  const off = new Set(disabled)
  return (said) => {
    const check = argumentCheck(said)
    return off.size === 0 ? check : (argument) => check(argument).filter(({ rule }) => !off.has(rule))
  }
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
        get open() {
          return session.open === true
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
