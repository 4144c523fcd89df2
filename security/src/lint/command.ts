import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Command, Io } from '../command.ts'
import { applyFixes } from './apply-fixes.ts'
import { readBaseline, writeBaseline } from './baseline.ts'
import type { Level } from './finding.ts'
import { lint, type Linted } from './lint.ts'
import { promptSchema } from './prompt-file.ts'
import { jsonReport, report } from './report.ts'
import type { Result } from './result.ts'
import { rules } from './rules.ts'
import { sarif } from './sarif.ts'

const HELP = `usage: postern-sec lint PATH... [options]
       postern-sec lint --schema | --rules

Reads prompts, templates, tool definitions, chains and agents, in Python, TypeScript, notebooks, YAML, JSON, Jinja and
Markdown, and says what makes them easy to attack. Nothing that is read is run.

  --format FORMAT    text (default), json, or sarif (2.1.0, for code scanning)
  --json             the same as --format json
  --output FILE      writes there instead of standard output
  --fail-on LEVEL    error, warning (default) or note: findings of this level or above give exit code 1
  --baseline FILE    findings in FILE do not count; they stay known when lines move
  --update-baseline  writes what is found now to that file
  --fix              applies the fixes that cannot change what a program does otherwise
  --exclude NAME     files and folders of this name; may be given again
  --max-files N      more files than this are an error (20000)
  --schema           prints the JSON Schema of prompt files (kind: Prompt)
  --rules            lists the rules with their OWASP and CWE numbers

A comment quiets a rule on its line and the next, and must say why:
  # postern-sec: allow raw-sql-tool -- the account is read-only and sees one schema

exit codes
  0  nothing at or above --fail-on     1  something     2  wrong use, or a path that cannot be read
`

const OPTIONS = {
  format: { type: 'string' },
  json: { type: 'boolean' },
  output: { type: 'string' },
  'fail-on': { type: 'string' },
  baseline: { type: 'string' },
  'update-baseline': { type: 'boolean' },
  fix: { type: 'boolean' },
  exclude: { type: 'string', multiple: true },
  'max-files': { type: 'string' },
  schema: { type: 'boolean' },
  rules: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

export const command: Command = {
  summary: 'static analysis of prompts, tools, chains and agents; SARIF, fixes, baseline',
  run: (args, io) => {
    try {
      return Promise.resolve(run(args, io))
    } catch (error) {
      io.err(
        `postern-sec lint: ${error instanceof Error ? error.message : String(error)}; postern-sec lint --help says more\n`,
      )
      return Promise.resolve(2)
    }
  },
}

const run = (args: readonly string[], io: Io): number => {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  if (values.help === true) return print(io, HELP)
  if (values.schema === true) return print(io, promptSchema())
  if (values.rules === true) return print(io, ruleList())
  if (positionals.length === 0) throw new Error('name a file or folder')
  const format = values.json === true ? 'json' : oneOf(values.format ?? 'text', ['text', 'json', 'sarif'])
  const failOn = oneOf(values['fail-on'] ?? 'warning', ['error', 'warning', 'note'])
  if (values['update-baseline'] === true && values.baseline === undefined)
    throw new Error('--update-baseline needs --baseline FILE')
  const options = {
    exclude: values.exclude ?? [],
    maxFiles: wholeNumber(values['max-files'] ?? '20000'),
  }
  const linted = lint(positionals, options)
  if (values['update-baseline'] === true && values.baseline !== undefined) {
    writeBaseline(values.baseline, linted.results)
    io.err(`${values.baseline}: ${linted.results.length} findings are known now\n`)
    return 0
  }
  const known = values.baseline === undefined ? new Set<string>() : readBaseline(values.baseline)
  const fresh = linted.results.filter(({ fingerprint }) => !known.has(fingerprint))
  if (values.fix === true) fix(fresh, io)
  const left =
    values.fix === true
      ? lint(positionals, options).results.filter(({ fingerprint }) => !known.has(fingerprint))
      : fresh
  const text = written(left, format, io.terminal)
  if (values.output === undefined) io.out(text)
  else writeFileSync(values.output, text)
  if (format === 'text') io.err(summary({ ...linted, results: left }, linted.results.length - fresh.length))
  io.err(linted.skipped.map(({ path, why }) => `not read: ${path}: ${why}\n`).join(''))
  return left.some(({ level }) => RANK[level] >= RANK[failOn]) ? 1 : 0
}

const RANK: Readonly<Record<Level, number>> = { note: 0, warning: 1, error: 2 }

const print = (io: Io, text: string): number => {
  io.out(text)
  return 0
}

const oneOf = <T extends string>(value: string, allowed: readonly T[]): T => {
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new Error(`${JSON.stringify(value)} is none of ${allowed.join(', ')}`)
  return found
}

const wholeNumber = (value: string): number => {
  if (!/^[1-9]\d{0,6}$/.test(value)) throw new Error(`${JSON.stringify(value)} is not a number of files`)
  return Number(value)
}

const written = (
  results: readonly Result[],
  format: 'text' | 'json' | 'sarif',
  terminal: boolean,
): string => {
  if (format === 'sarif') return sarif(results, (path) => readFileSync(path, 'utf8'))
  if (format === 'json') return `${JSON.stringify({ findings: jsonReport(results) }, undefined, 2)}\n`
  return report(results, terminal)
}

const summary = ({ files, results }: Linted, known: number): string => {
  const count = (level: Level): number => results.filter((result) => result.level === level).length
  const head = `${files} files: ${count('error')} errors, ${count('warning')} warnings, ${count('note')} notes`
  const tail = known > 0 ? `; ${known} known from the baseline` : ''
  return `${head}${tail}\n`
}

/** Writes the files. */
const fix = (results: readonly Result[], io: Io): void => {
  const fixable = results.filter(({ finding }) => finding.fix?.safe === true)
  for (const path of new Set(fixable.map((result) => result.path))) {
    const here = fixable.filter((result) => result.path === path).map(({ finding }) => finding)
    const { text, applied } = applyFixes(readFileSync(path, 'utf8'), here)
    writeFileSync(path, text)
    io.err(`${path}: ${applied} fixed\n`)
  }
}

const ruleList = (): string =>
  Object.entries(rules)
    .map(
      ([id, { level, owasp, cwe, title }]) =>
        `${id.padEnd(28)} ${level.padEnd(8)} ${owasp}  CWE-${String(cwe).padEnd(5)} ${title}\n`,
    )
    .join('')
