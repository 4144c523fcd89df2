import { open } from 'node:fs/promises'
import { headerOf, type Header } from './chain.ts'

/** A line and where it is. */
export interface FoundLine {
  readonly file: string
  /** Byte offset in the file. */
  readonly offset: number
  /** Without the newline. */
  readonly bytes: Buffer
  readonly header: Header
}

export interface Search {
  readonly member: 'id' | 'trace'
  readonly value: string
}

/** At most so many lines are returned: a trace id is the client's choice and may stand in every line. */
export const MAX_FOUND = 1000

const CHUNK = 8 << 20
const NEWLINE = 0x0a

/** The lines of a file that have that member, in their order. Reads the file once, in 8 MiB of memory. */
export const findLines = async (file: string, search: Search): Promise<readonly FoundLine[]> => {
  const needle = Buffer.from(`"${search.member}":${JSON.stringify(search.value)}`)
  const buffer = Buffer.allocUnsafe(CHUNK)
  const found: FoundLine[] = []
  const handle = await open(file, 'r')
  try {
    let base = 0 // offset in the file of the first byte of the buffer
    let kept = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, kept, CHUNK - kept, base + kept)
      const filled = kept + bytesRead
      // What follows the last newline is the beginning of a line that the next piece ends.
      const whole = buffer.subarray(0, filled).lastIndexOf(NEWLINE) + 1
      for (const line of hitsIn(buffer.subarray(0, whole), needle)) {
        const header = headerOf(line.bytes)
        if (header === undefined || found.length >= MAX_FOUND) continue
        if (search.member === 'id' && header.id !== search.value) continue
        found.push({ file, offset: base + line.at, bytes: Buffer.from(line.bytes), header })
      }
      if (bytesRead === 0) return found
      // A piece without a newline holds no line of a guard, which is far shorter.
      const next = whole === 0 && filled === CHUNK ? filled : whole
      buffer.copyWithin(0, next, filled)
      base += next
      kept = filled - next
    }
  } finally {
    await handle.close()
  }
}

function* hitsIn(data: Buffer, needle: Buffer): Generator<{ readonly at: number; readonly bytes: Buffer }> {
  for (let at = data.indexOf(needle); at >= 0;) {
    const start = data.lastIndexOf(NEWLINE, at) + 1
    const end = data.indexOf(NEWLINE, at)
    yield { at: start, bytes: data.subarray(start, end) }
    at = data.indexOf(needle, end)
  }
}
