import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Command, Io } from '../command.ts'
import { sarifLog } from '../lint/sarif.ts'
import { positions } from '../../../proxy/src/core/positions.ts'
import { checkCard, type CardFinding } from './check.ts'
import { cardRules } from './rules.ts'

const HELP = `usage: postern-sec card FILE... [--format text|json|sarif] [--fail-on error|warning|note]

Reads model cards (README.md of a model repository, MODEL_CARD.md) and says what they lack: licence, origin, data,
figures, intended use, limits, and what the EU AI Act asks providers of general-purpose models for (Annex XI and XII;
hints, not legal advice).

exit codes
  0  nothing at or above --fail-on (warning)     1  something     2  wrong use, or a file that cannot be read
`

export const command: Command = {
  summary: 'model cards: metadata, sections, EU AI Act hints; SARIF',
  run: (args, io) => {
    try {
      return Promise.resolve(run(args, io))
    } catch (error) {
      io.err(
        `postern-sec card: ${error instanceof Error ? error.message : String(error)}; postern-sec card --help says more\n`,
      )
      return Promise.resolve(2)
    }
  },
}

const RANK: Readonly<Record<string, number>> = { note: 0, warning: 1, error: 2 }
const LARGEST = 2 << 20

interface Placed {
  readonly path: string
  readonly line: number
  readonly column: number
  readonly finding: CardFinding
}

const run = (args: readonly string[], io: Io): number => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      format: { type: 'string' },
      'fail-on': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    io.out(HELP)
    return 0
  }
  const { format = 'text', 'fail-on': failOn = 'warning' } = values
  const limit = RANK[failOn]
  if (positionals.length === 0) throw new Error('name a model card')
  if (limit === undefined || !['text', 'json', 'sarif'].includes(format))
    throw new Error('--format or --fail-on is none of those offered')
  const placed = positionals.flatMap(read)
  io.out(format === 'sarif' ? asSarif(placed) : format === 'json' ? asJson(placed) : asText(placed))
  if (format === 'text') io.err(`${positionals.length} model cards: ${placed.length} findings\n`)
  return placed.some(({ finding }) => (RANK[cardRules[finding.rule].level] ?? 0) >= limit) ? 1 : 0
}

const read = (path: string): readonly Placed[] => {
  const bytes = readFileSync(path)
  if (bytes.length > LARGEST) throw new Error(`${path} is larger than ${LARGEST} bytes`)
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const place = positions(text)
  return checkCard(text).map((finding) => ({ path, finding, ...place(finding.start) }))
}

const asText = (placed: readonly Placed[]): string =>
  placed
    .map(({ path, line, column, finding }) => {
      const { level, why, fix } = cardRules[finding.rule]
      return `${path}:${line}:${column} ${level} ${finding.rule} ${finding.message}\n    why: ${why}\n    fix: ${fix}\n`
    })
    .join('')

const asJson = (placed: readonly Placed[]): string => {
  const findings = placed.map(({ path, line, column, finding }) => ({
    path,
    line,
    column,
    rule: finding.rule,
    level: cardRules[finding.rule].level,
    message: finding.message,
  }))
  return `${JSON.stringify({ findings }, undefined, 2)}\n`
}

const asSarif = (placed: readonly Placed[]): string =>
  sarifLog(
    placed.map(({ path, line, column, finding }) => ({
      ruleId: finding.rule,
      level: cardRules[finding.rule].level,
      message: { text: `${finding.message} ${cardRules[finding.rule].fix}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: path.split('/').map(encodeURIComponent).join('/') },
            region: { startLine: line, startColumn: column },
          },
        },
      ],
    })),
    { tool: 'postern-sec card', rules: cardRules },
  )
