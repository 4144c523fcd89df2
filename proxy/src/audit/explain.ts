import { findLines, type FoundLine, type Search } from './find.ts'
import { proveLine, type Proof } from './proof.ts'
import { exchangeLine, type ExchangeLine } from './schema.ts'
import { seriesOf } from './series.ts'
import { wouldHave, type WouldHave } from './would-have.ts'

/** All that a log knows about one exchange. */
export interface Explanation {
  readonly id: string
  readonly file: string
  readonly seq: number
  readonly proof: Proof
  /** Number of the line that was durable before the model was called; undefined when it was not, or when its file is gone. */
  readonly begun: number | undefined
  /** Undefined when no end was written: `lost` then tells whether a later guard said so. */
  readonly record: ExchangeLine | undefined
  readonly lost: boolean
  readonly wouldHave: readonly WouldHave[]
}

export interface ExplainOptions {
  /** Ed25519 public keys, PEM, instead of those beside the log. */
  readonly publicKey?: string
}

/**
 * Finds what the logs say about an exchange, by its id, or about all exchanges of a trace, newest file first. Reads in bounded memory, and no further
 * than to the file before the one with the record. A second record of one id is returned too: one of them is forged. Throws an Error when a log cannot be read.
 */
export const explain = async (
  search: Search,
  logs: readonly string[],
  options: ExplainOptions = {},
): Promise<readonly Explanation[]> => {
  const explanations: Explanation[] = []
  for (const log of logs) {
    const { files, base } = await seriesOf(log)
    for (const lines of byExchange(await linesIn(files, search)).values())
      explanations.push(...(await explained(lines, { ...options, base })))
  }
  return explanations.sort((a, b) => a.seq - b.seq)
}

const linesIn = async (files: readonly string[], search: Search): Promise<readonly FoundLine[]> => {
  const found: FoundLine[] = []
  let past = false
  for (const file of files.toReversed()) {
    found.unshift(...(await findLines(file, search)))
    // An exchange ends at most one file after it began, or is carried on; a trace may be in every file.
    if (search.member === 'id' && past) break
    past ||= found.some(({ header }) => ENDS.has(header.type))
  }
  return found
}

const ENDS: ReadonlySet<string> = new Set(['exchange', 'lost'])

const byExchange = (found: readonly FoundLine[]): ReadonlyMap<string, readonly FoundLine[]> => {
  const lines = new Map<string, FoundLine[]>()
  for (const line of found) {
    const { id = '' } = line.header
    const known = lines.get(id)
    if (known) known.push(line)
    else lines.set(id, [line])
  }
  return lines
}

const explained = async (
  lines: readonly FoundLine[],
  options: ExplainOptions & { readonly base: string },
): Promise<readonly Explanation[]> => {
  const ends = lines.filter(({ header }) => header.type === 'exchange')
  const last = lines.at(-1)
  const about = ends.length > 0 ? ends : last === undefined ? [] : [last]
  const begun = lines.find(({ header }) => header.type === 'begin')?.header.seq
  const explanations: Explanation[] = []
  for (const line of about) {
    const { header, file, bytes } = line
    const record = header.type === 'exchange' ? readRecord(bytes) : undefined
    explanations.push({
      id: header.id ?? '',
      ...{ file, seq: header.seq, begun, record },
      proof: await proveLine(line, options),
      lost: lines.some((one) => one.header.type === 'lost'),
      wouldHave: record === undefined ? [] : wouldHave(record),
    })
  }
  return explanations
}

/** Throws an Error for a line that is not as the schema says: a newer guard wrote it, or nobody did. */
const readRecord = (bytes: Buffer): ExchangeLine => {
  const read = exchangeLine.safeParse(JSON.parse(bytes.toString('utf8')))
  if (read.success) return read.data
  const { path = [], message = '' } = read.error.issues[0] ?? {}
  throw new Error(`the record is not one that this version knows: ${path.join('.')}: ${message}`)
}
