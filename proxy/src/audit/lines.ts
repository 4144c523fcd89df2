import { createReadStream } from 'node:fs'

export interface Line {
  /** Without the newline. */
  readonly bytes: Buffer
  /** False for bytes after the last newline: a write that was cut short. */
  readonly whole: boolean
}

/** Of the bytes from `start` to before `end`; the longest line is 4 MiB when nothing else is said. */
export interface Range {
  readonly start?: number
  readonly end?: number
  readonly longest?: number
}

const CHUNK = 1 << 20
const MAX_LINE = 4 << 20 // bytes; the longest line that a guard writes is well below 1 MiB
const NEWLINE = 0x0a

/** The lines of a file in batches, in memory that does not grow with the file. A line over the longest ends it as if it were cut. */
export async function* linesOf(path: string, range: Range = {}): AsyncGenerator<readonly Line[]> {
  const { start = 0, end = Infinity, longest = MAX_LINE } = range
  let rest: Buffer = Buffer.alloc(0)
  for await (const piece of createReadStream(path, { highWaterMark: CHUNK, start, end: end - 1 })) {
    const data = rest.length === 0 ? (piece as Buffer) : Buffer.concat([rest, piece as Buffer])
    const lines: Line[] = []
    let from = 0
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
      lines.push({ bytes: data.subarray(from, at), whole: true })
      from = at + 1
    }
    rest = data.subarray(from)
    if (lines.length > 0) yield lines
    if (rest.length > longest) break
  }
  if (rest.length > 0) yield [{ bytes: rest, whole: false }]
}
