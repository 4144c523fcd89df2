import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { tables } from '../scanners/tables.ts'
import { defaultScanner, outputRules } from '../compose/scanner.ts'
import { positions } from '../core/positions.ts'
import { cleanWhole } from '../stream/redact.ts'
import { CliError, EXIT, unreadable, type Command } from './command.ts'

const LIMIT = 16 << 20

export const scanCommand: Command = {
  help: `usage: postern scan [FILE] [--json] [--redact]
       postern scan --rules

Reads FILE, or standard input when FILE is absent or '-', as UTF-8 and prints what the scanners of the
guard find: place, rule, category, score and evidence, never the text itself.

  --json     one JSON object: {"findings": [{rule, category, score, start, end, line, column, evidence}]}
             start and end are UTF-16 offsets, end exclusive
  --redact   prints the text instead, with every finding replaced by [REDACTED_<RULE>]
  --rules    lists all rules instead, one a line: category, tab, name; policies and configuration use these names

examples
  git diff --cached | postern scan
  postern scan --redact answer.txt

exit codes
  0  nothing found     1  something found     2  wrong usage     3  the text could not be read
`,
  run: async (args, io) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, redact: { type: 'boolean' }, rules: { type: 'boolean' } },
    })
    if (values.rules) {
      io.out(ruleList())
      return EXIT.ok
    }
    if (positionals.length > 1) throw new CliError('scan takes one file; see postern scan --help')
    const text = decode(await read(positionals[0] ?? '-', (limit) => io.stdin(limit)))
    const findings = defaultScanner().scan(text)
    if (values.redact) io.out(cleanWhole(text, findings, () => 'redact').text)
    else {
      const place = positions(text)
      const rows = findings.map((finding) => ({ ...finding, ...place(finding.start) }))
      if (values.json) io.out(`${JSON.stringify({ findings: rows })}\n`)
      else {
        for (const { line, column, rule, category, score, evidence } of rows) {
          const why = evidence.length > 0 ? ` (${evidence.join(', ')})` : ''
          io.out(
            `${line}:${column}  ${io.paint('yellow', rule)}  ${category}  ${score.toFixed(2)}${io.paint('dim', why)}\n`,
          )
        }
        if (rows.length === 0) io.out(`${io.paint('green', 'nothing found')}\n`)
      }
    }
    return findings.length > 0 ? EXIT.no : EXIT.ok
  },
}

const ruleList = (): string =>
  [
    ...tables.flatMap(({ category, rules }) => Object.keys(rules).map((rule) => [rule, category] as const)),
    ...outputRules,
  ]
    .map(([rule, category]) => `${category}\t${rule}\n`)
    .join('')

const read = async (file: string, stdin: (limit: number) => Promise<Buffer>): Promise<Buffer> => {
  if (file === '-') return stdin(LIMIT)
  try {
    const bytes = await readFile(file)
    if (bytes.length > LIMIT) throw new CliError(`${file} is larger than ${LIMIT} bytes`, EXIT.failed)
    return bytes
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`cannot read ${file}: ${unreadable(error)}`, EXIT.failed)
  }
}

const decode = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CliError('the text is not valid UTF-8; convert it first, for instance with iconv', EXIT.failed)
  }
}
