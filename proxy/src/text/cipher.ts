import type { Finding } from '../core/finding.ts'
import { type OffsetMap, offsetMap } from './offset-map.ts'
import { type Reader, translated } from './reader.ts'

/** Reads the part of a text that is written in a cipher: around the words that tell of it, and no further. */
export interface CipherReader {
  /** A word of the cipher, in offsets of the text. */
  open(word: Place): void
  /** `text` is known from `base` on, and what ends before the last LAG units of it has been told of. */
  push(text: string, base: number): void
  end(): void
  /** The earliest offset where a finding may still begin; Infinity when nothing is being read. */
  cleared(): number
  take(): readonly Finding[]
}

interface Place {
  readonly start: number
  readonly end: number
}

/** How a cipher is undone, piece by piece. */
export interface Undo {
  readonly code: string
  /** Writes what has become clear of a text that ends at `to` of the source; all of it when `last`. */
  push(piece: string, last: boolean): Undone
}

/** The decoded text, by lengths of source and decoded; a part that was not changed has `same`. */
export interface Undone {
  readonly text: string
  readonly parts: readonly { readonly width: number; readonly length: number; readonly same: boolean }[]
}

export interface CipherOptions {
  readonly undo: () => Undo
  readonly openDecoded: () => Reader
}

/** What is read before a word and behind it. */
const BEFORE = 256
const BEHIND = 1024
/** A word is known of when so many units have come after it. */
const LAG = 32

interface Open {
  readonly undo: Undo
  readonly reader: Reader
  readonly map: OffsetMap
  /** No finding begins before: it may have left already. */
  readonly gate: number
  /** Up to where the text has been read, and to where it will be. */
  at: number
  until: number
}

interface State {
  readonly options: CipherOptions
  words: Place[]
  open: Open | undefined
  text: string
  base: number
  found: Finding[]
}

export const cipherReader = (options: CipherOptions): CipherReader => {
  const state: State = { options, words: [], open: undefined, text: '', base: 0, found: [] }
  return {
    open: (word) => void state.words.push(word),
    push: (text, base) => {
      state.text = text
      state.base = base
      readTo(state, base + text.length - LAG)
    },
    end: () => {
      readTo(state, state.base + state.text.length)
      if (state.open !== undefined) close(state, state.open)
    },
    cleared: () => clearedOf(state),
    take: () => {
      const { found } = state
      if (found.length > 0) state.found = []
      return found
    },
  }
}

const readTo = (state: State, end: number): void => {
  for (;;) {
    const { open } = state
    const [word] = state.words
    if (open === undefined) {
      if (word === undefined) return
      state.open = begin(state, word)
    } else {
      for (const { start, end: behind } of state.words)
        if (start <= open.until) open.until = Math.max(open.until, behind + BEHIND)
      state.words = state.words.filter(({ start }) => start > open.until)
      readOn(state, open, Math.min(end, open.until))
      if (open.at < open.until) return
      close(state, open)
    }
  }
}

const begin = (state: State, { start, end }: Place): Open => {
  const { undo, openDecoded } = state.options
  const at = Math.max(state.base, start - BEFORE)
  return {
    undo: undo(),
    reader: openDecoded(),
    map: offsetMap(0, at),
    gate: end,
    at,
    until: end + BEHIND,
  }
}

const readOn = (state: State, open: Open, to: number): void => {
  if (to <= open.at) return
  write(open, open.undo.push(state.text.slice(open.at - state.base, to - state.base), false))
  open.at = to
  collect(state, open)
}

const write = ({ map, reader, undo }: Open, { text, parts }: Undone): void => {
  for (const { width, length, same } of parts)
    if (same) map.copied(width)
    else map.decoded({ length, width, code: undo.code, hides: false })
  if (text !== '') reader.push(text)
}

const close = (state: State, open: Open): void => {
  write(open, open.undo.push('', true))
  open.reader.end()
  collect(state, open)
  state.open = undefined
}

const collect = ({ found }: State, { reader, map, undo, gate }: Open): void => {
  for (const finding of reader.take()) {
    if (finding.category !== 'injection' && (finding.category !== 'secret' || undo.code === 'decoded:leet'))
      continue
    // Without a code the finding is in the text as it stands, and is found there.
    if (map.code(finding.start, finding.end) === undefined) continue
    const { start, end, ...rest } = translated(finding, map, undo.code)
    if (end > gate) found.push({ ...rest, start: Math.max(start, gate), end })
  }
}

const clearedOf = ({ open, words }: State): number => {
  const first = words.reduce((least, { end }) => Math.min(least, end), Infinity)
  return open === undefined
    ? first
    : Math.min(first, Math.max(open.gate, open.map.start(open.reader.cleared())))
}
