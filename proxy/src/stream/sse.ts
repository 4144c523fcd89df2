import type { ServerEvent } from '../core/dialect.ts'
import { Refusal } from '../core/refusal.ts'

export interface EventReader {
  /** The events that these bytes complete. Throws Refusal `model_answer_invalid`. */
  read(bytes: Uint8Array): readonly ServerEvent[]
  /** Throws when the stream ends in the middle of an event or of a character. */
  end(): void
}

const invalid = (detail: string, cause?: unknown): Refusal =>
  new Refusal('model_answer_invalid', { details: [detail], cause })

/**
 * Server-sent events as the WHATWG HTML standard parses them, but strict: invalid UTF-8 or a byte order mark is an error,
 * and so is an event larger than `maxEventChars`. Fields other than `event` and `data` are dropped.
 */
export const eventReader = (maxEventChars: number): EventReader => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const lines = lineReader()
  const events = eventBuilder()
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
    } catch (cause) {
      throw invalid('invalid UTF-8 in the event stream', cause)
    }
  }
  return {
    read(bytes) {
      const out: ServerEvent[] = []
      for (const line of lines.read(decode(bytes))) {
        const event = events.line(line)
        if (event) out.push(event)
        if (events.size() > maxEventChars) break
      }
      if (events.size() + lines.waiting() > maxEventChars) {
        throw invalid(`an event is larger than ${maxEventChars} characters`)
      }
      return out
    },
    end() {
      decode()
      if (events.size() + lines.waiting() > 0)
        throw invalid('the event stream ends in the middle of an event')
    },
  }
}

interface EventBuilder {
  /** Undefined until an empty line completes an event that has data. */
  line(line: string): ServerEvent | undefined
  /** Characters of the event so far. */
  size(): number
}

const eventBuilder = (): EventBuilder => {
  let event = ''
  let data: string[] = []
  let size = 0
  const value = (line: string, colon: number): string =>
    line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1)
  return {
    line(line) {
      size += line.length
      if (line.startsWith('data:')) data.push(value(line, 4))
      else if (line.startsWith('event:')) event = value(line, 5)
      else if (line === 'data') data.push('')
      else if (line.startsWith('\uFEFF')) throw invalid('byte order mark in the event stream')
      if (line !== '') return undefined
      const done = data.length > 0 ? { event, data: data.join('\n') } : undefined
      event = ''
      data = []
      size = 0
      return done
    },
    size: () => size,
  }
}

interface LineReader {
  read(piece: string): readonly string[]
  /** Characters of the line that is not complete. */
  waiting(): number
}

/** Lines end at LF, CR LF or CR; a CR that ends a piece has ended its line, and an LF that follows it is skipped. */
const lineReader = (): LineReader => {
  let rest: string[] = []
  let waiting = 0
  let afterCarriage = false
  return {
    read(piece) {
      if (piece === '') return []
      const out: string[] = []
      let from = afterCarriage && piece.startsWith('\n') ? 1 : 0
      afterCarriage = piece.endsWith('\r')
      let carriage = piece.indexOf('\r', from)
      for (;;) {
        const feed = piece.indexOf('\n', from)
        if (carriage >= 0 && carriage < from) carriage = piece.indexOf('\r', from)
        const end = feed < 0 || (carriage >= 0 && carriage < feed) ? carriage : feed
        if (end < 0) break
        out.push(rest.join('') + piece.slice(from, end))
        rest = []
        waiting = 0
        from = end + (end === carriage && feed === end + 1 ? 2 : 1)
      }
      if (from < piece.length) rest.push(piece.slice(from))
      waiting += piece.length - from
      return out
    },
    waiting: () => waiting,
  }
}
