import type { Finding } from '../core/finding.ts'
import { escapeAt, mayEscape } from './escapes.ts'
import { type OffsetMap, offsetMap } from './offset-map.ts'
import { type Reader, translated } from './reader.ts'

/** Reads a text with its escapes undone, from the first escape on. */
export interface Unescaper extends Reader {
  /** False when what looked like the first escape turns out to be none, given the next piece: then nothing has been read. */
  isEscape(piece: string): boolean
}

interface State {
  /** Has read the text up to the first escape. */
  readonly reader: Reader
  readonly map: OffsetMap
  /** The beginning of an escape. */
  pending: string
  confirmed: boolean
  found: Finding[]
}

/** `reader` has read the text up to `offset`, where the first escape is or may be. */
export const unescaper = (reader: Reader, offset: number): Unescaper => {
  const state: State = { reader, map: offsetMap(offset, offset), pending: '', confirmed: false, found: [] }
  return {
    isEscape: (piece) => state.confirmed || escapeAt(state.pending + piece, 0) !== undefined,
    push: (piece) => push(state, state.pending + piece),
    end: () => {
      pass(state, state.pending)
      state.pending = ''
      reader.end()
      collect(state)
    },
    cleared: () => state.map.start(reader.cleared()),
    take: () => {
      const { found } = state
      if (found.length > 0) state.found = []
      return found
    },
  }
}

const push = (state: State, text: string): void => {
  let out = ''
  let from = 0
  let at = mayEscape(text, 0)
  while (at < text.length) {
    const escape = escapeAt(text, at)
    if (escape === 'more') break
    if (escape === undefined) {
      at = mayEscape(text, at + 1)
      continue
    }
    state.confirmed = true
    if (at > from) state.map.copied(at - from)
    out += text.slice(from, at) + escape.text
    from = at + escape.length
    const last = text.charCodeAt(from - 1)
    const hides = (last >= 48 && last <= 57) || ((last | 32) >= 97 && (last | 32) <= 122)
    state.map.decoded({ length: escape.text.length, width: escape.length, code: escape.code, hides })
    at = mayEscape(text, from)
  }
  if (at > from) state.map.copied(at - from)
  out += text.slice(from, at)
  state.pending = text.slice(at)
  if (out !== '') state.reader.push(out)
  collect(state)
}

const pass = ({ map, reader }: State, text: string): void => {
  if (text === '') return
  map.copied(text.length)
  reader.push(text)
}

const collect = ({ reader, map, found }: State): void => {
  for (const finding of reader.take()) {
    const code = map.code(finding.start, finding.end)
    // Without a code the finding is in the text as it stands, and is found there.
    if (code !== undefined) found.push(translated(finding, map, code))
  }
}
