import type { Finding } from '../core/finding.ts'
import { escapeAt, mayEscape } from './escapes.ts'
import { type OffsetMap, offsetMap } from './offset-map.ts'
import { type Reader, translated } from './reader.ts'

/** Reads a text with its escapes undone, from the first escape on. */
export interface Unescaper extends Reader {
  /** False when what looked like the first escape turns out to be none, given the next piece: then nothing has been read. */
  isEscape(piece: string): boolean
  /** How much text it has read since the last escape; 0 while something may still become one. */
  calm(): number
}

interface State {
  /** Has read the text up to the first escape. */
  readonly reader: Reader
  readonly map: OffsetMap
  /** The beginning of an escape, and the unit before it. */
  pending: string
  before: number
  confirmed: boolean
  copied: number
  found: Finding[]
}

export interface UnescaperOptions {
  /** Has read the text up to `offset`, where the first escape is or may be. */
  readonly reader: Reader
  readonly offset: number
  /** The unit before it; NaN at the beginning of a text. */
  readonly before: number
}

export const unescaper = ({ reader, offset, before }: UnescaperOptions): Unescaper => {
  const state: State = {
    reader,
    map: offsetMap(offset, offset),
    pending: '',
    before,
    confirmed: false,
    copied: 0,
    found: [],
  }
  return {
    isEscape: (piece) =>
      state.confirmed ||
      escapeAt(state.pending + piece, 0, state.before) !== undefined ||
      mayEscape(state.pending, 1) < state.pending.length,
    calm: () => (state.pending === '' ? state.copied : 0),
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
    const escape = escapeAt(text, at, at === 0 ? state.before : text.charCodeAt(at - 1))
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
    state.copied = 0
    at = mayEscape(text, from)
  }
  if (at > from) state.map.copied(at - from)
  state.copied += at - from
  out += text.slice(from, at)
  if (at > 0) state.before = text.charCodeAt(at - 1)
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
    if (code === undefined || (code === 'decoded:joined' && !isJoined(finding))) continue
    found.push(translated(finding, map, code))
  }
}

/** Numbers and words of neighbouring literals make numbers of persons by chance. */
const isJoined = ({ category }: Finding): boolean => category === 'secret' || category === 'injection'
