import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { parseArgs } from 'node:util'
import { anomaliesOf, readExchange, type Anomaly, type Exchange } from './anomaly.ts'

const HELP = `node monitoring/llmsecops_demo/anomalies.ts [--json] [FILE...]
Reads audit logs of Postern, one record a line (standard input without a file), and says what is odd about the prompts:
who kept trying, what may have slipped through after a refusal, hidden text, texts sent by several callers, odd lengths.
It sees offsets and hashes only, as the records do. Exit code 1 when there is something, 2 when a line is not JSON.
`

const MAX_EXCHANGES = 500_000 // about 250 MB; more than that is Loki's or Elasticsearch's work

/** Exchanges of the lines, others left out. Throws Error for a line that is not JSON, and for more exchanges than memory is for. */
export const exchangesIn = async (source: Readable): Promise<readonly Exchange[]> => {
  const exchanges: Exchange[] = []
  let number = 0
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
    number += 1
    if (line === '') continue
    const exchange = readExchange(parsed(line, number))
    if (exchange === undefined) continue
    if (exchanges.length >= MAX_EXCHANGES)
      throw new Error(`more than ${MAX_EXCHANGES} exchanges; give it fewer files at once`)
    exchanges.push(exchange)
  }
  return exchanges
}

const parsed = (line: string, number: number): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`line ${number} is not JSON; a log that was cut short ends so`)
  }
}

const shown = ({ kind, subject, ids, says }: Anomaly): string => {
  const more = ids.length > 6 ? ` and ${ids.length - 6} more` : ''
  return `${kind.padEnd(16)} ${plain(subject).padEnd(16)} ${plain(says)}\n${' '.repeat(34)}${plain(ids.slice(0, 6).join(' '))}${more}\n`
}

/** A log from elsewhere may hold what a terminal would obey. */
const plain = (text: string): string => text.slice(0, 500).replaceAll(/[\p{C}\u2028\u2029]/gu, '?')

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const sources =
    positionals.length === 0 ? [process.stdin] : positionals.map((path) => createReadStream(path))
  const read: Exchange[] = []
  for (const source of sources) for (const exchange of await exchangesIn(source)) read.push(exchange)
  const anomalies = anomaliesOf(read)
  process.stdout.write(
    values.json
      ? `${JSON.stringify(anomalies, null, 2)}\n`
      : `${read.length} exchanges, ${anomalies.length} anomalies\n${anomalies.map(shown).join('')}`,
  )
  return anomalies.length > 0 ? 1 : 0
}

if (import.meta.main)
  main().then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
      process.exitCode = 2
    },
  )
