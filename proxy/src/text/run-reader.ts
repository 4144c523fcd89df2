import type { Finding } from '../core/finding.ts'
import { type Block, decodeBlock } from './decode-block.ts'
import { BASE64, type Encoding } from './encodings.ts'
import { type OffsetMap, offsetMap } from './offset-map.ts'
import { type DecodingReader, type Reader, translated } from './reader.ts'

export interface RunReaderOptions {
  readonly encoding: Encoding
  /** Offset where the text begins. */
  readonly offset: number
  readonly openDecoded: () => Reader
}

export interface RunReader extends DecodingReader {
  /** Whether the text so far does not end in a run. */
  isOutside(): boolean
  /** Goes on behind so many characters that hold no run. */
  skip(length: number): void
}

/** A run is decoded in blocks of so many characters; shorter runs are words. A finding covers whole blocks. */
const BLOCK = 24
/**
 * The first characters of an encoded text, which no finding covers. They show less than the beginning of a secret's kind,
 * and so the words of ordinary prose need not be held back for what they would be the beginning of.
 */
const SHOWN = 8

/** A reading of a run in which the first group begins `next` characters after its beginning, and later where it has come to. */
interface Phase {
  next: number
  readonly block: Block
  decoded: { readonly reader: Reader; readonly map: OffsetMap } | undefined
}

interface State {
  readonly options: RunReaderOptions
  /** Offset of the end of the text so far. */
  at: number
  /** Offset where the run begins that the text ends with, and its length; 0 when there is none. */
  begin: number
  length: number
  /** Digits since the run's last line break; CARRIAGE_RETURN directly behind one. */
  line: number
  /** The run from the first character that some phase has still to read. */
  kept: string
  phases: readonly Phase[]
  found: Finding[]
}

/**
 * Reads what runs of an encoding decode to. A run may begin before what was encoded, so every phase is tried; a block that
 * decodes to nothing readable costs a look at its first characters.
 */
export const runReader = (options: RunReaderOptions): RunReader => {
  const { offset } = options
  const state: State = {
    options,
    at: offset,
    begin: offset,
    length: 0,
    line: 0,
    kept: '',
    phases: [],
    found: [],
  }
  return {
    push: (piece) => push(state, piece),
    end: () => finish(state),
    cleared: () => cleared(state),
    isOutside: () => state.length === 0,
    skip: (length) => void (state.at += length),
    isIdle: () => state.phases.length === 0,
    take: () => {
      const { found } = state
      if (found.length > 0) state.found = []
      return found
    },
  }
}

const push = (state: State, piece: string): void => {
  const { digits } = state.options.encoding
  let from = 0
  if (state.length > 0) {
    from = endOfRun(state, piece, 0)
    goOn(state, piece, { from: 0, to: from })
  }
  // A run of a block or more has a digit at every place, so looking at the last one first skips most of the text.
  while (from + BLOCK <= piece.length) {
    const first = beginOfDigits(digits, piece, { from, to: from + BLOCK })
    if (first > from) from = first
    else {
      const to = endOfRun(state, piece, from)
      goOn(state, piece, { from, to })
      from = to
    }
  }
  const last = beginOfDigits(digits, piece, { from, to: piece.length })
  if (last < piece.length) goOn(state, piece, { from: last, to: endOfRun(state, piece, last) })
  state.at += piece.length
}

interface Range {
  readonly from: number
  readonly to: number
}

/** Lines this long are wrapped, not ended: tools break at 60, 64 or 76 digits. */
const WRAPPED = 60
/** Shorter ones too, when they are made of whole groups, as other widths that people choose are and few words are. */
const NARROW = 16
const CARRIAGE_RETURN = -1

/** Where the run that begins or goes on at a place ends. A line break within wrapped digits belongs to it. */
const endOfRun = (state: State, piece: string, from: number): number => {
  const { digits } = state.options.encoding
  let end = from
  for (; end < piece.length; end++) {
    const unit = piece.charCodeAt(end)
    if (unit < 128 && (digits[unit] as number) >= 0) state.line = Math.max(0, state.line) + 1
    else if (unit === 13 && isWrapped(state)) state.line = CARRIAGE_RETURN
    else if (unit === 10 && (state.line === CARRIAGE_RETURN || isWrapped(state))) state.line = 0
    else break
  }
  return end
}

const isWrapped = ({ line, options }: State): boolean =>
  line >= WRAPPED || (line >= NARROW && line % options.encoding.characters === 0)

/**
 * Where the first run begins that may be one of any encoding, or go on in the next piece: the digits of base64 are those of all.
 * A run begins with a line of NARROW digits at least.
 */
export const firstRun = (piece: string): number => {
  const { digits } = BASE64
  let from = 0
  while (from + NARROW <= piece.length) {
    const first = beginOfDigits(digits, piece, { from, to: from + NARROW })
    if (first === from) return from
    from = first
  }
  return beginOfDigits(digits, piece, { from, to: piece.length })
}

/** Where the digits of base64 begin that a text ends with. */
export const lastRun = (text: string): number =>
  beginOfDigits(BASE64.digits, text, { from: 0, to: text.length })

/** Where the digits before the end of a range begin. */
const beginOfDigits = (digits: Int8Array, piece: string, { from, to }: Range): number => {
  let first = to
  for (; first > from; first--) {
    const unit = piece.charCodeAt(first - 1)
    if (unit > 127 || (digits[unit] as number) < 0) break
  }
  return first
}

/** Begins a run of digits, or goes on with it; finishes it when it ends in the piece. */
const goOn = (state: State, piece: string, { from, to }: Range): void => {
  if (state.length === 0) state.begin = state.at + from
  extend(state, piece.slice(from, to))
  if (to < piece.length) finish(state)
}

const extend = (state: State, more: string): void => {
  state.kept = state.kept === '' ? more : state.kept + more
  state.length += more.length
  if (state.length < BLOCK) return
  if (state.phases.length === 0) state.phases = phasesOf(state.options.encoding)
  const from = state.length - state.kept.length
  for (const phase of state.phases) while (phase.next + BLOCK <= state.length) decode(state, phase, BLOCK)
  state.kept = state.kept.slice(Math.min(...state.phases.map(({ next }) => next)) - from)
}

const phasesOf = ({ characters }: Encoding): readonly Phase[] =>
  Array.from({ length: characters }, (_, next) => ({
    next,
    block: { from: 0, to: 0, held: 0, count: 0, missing: 0, bits: 0 },
    decoded: undefined,
  }))

const finish = (state: State): void => {
  for (const phase of state.phases) {
    if (phase.decoded !== undefined && phase.next < state.length)
      decode(state, phase, state.length - phase.next)
    close(state, phase)
  }
  state.phases = []
  state.kept = ''
  state.length = 0
  state.line = 0
}

/** Reads the next characters of a phase. */
const decode = (state: State, phase: Phase, width: number): void => {
  const { encoding, openDecoded } = state.options
  const { block } = phase
  block.from = phase.next - state.length + state.kept.length
  block.to = block.from + width
  const text = decodeBlock(encoding, state.kept, block)
  if (text === undefined) close(state, phase)
  else {
    const shown = phase.decoded === undefined ? SHOWN : 0
    phase.decoded ??= { reader: openDecoded(), map: offsetMap(0, state.begin + phase.next + shown) }
    phase.decoded.map.decoded({
      length: text.length,
      width: width - shown,
      code: encoding.code,
      hides: false,
    })
    phase.decoded.reader.push(text)
    collect(state, phase)
  }
  phase.next += width
}

const close = (state: State, phase: Phase): void => {
  phase.block.missing = phase.block.count = 0
  phase.decoded?.reader.end()
  collect(state, phase)
  phase.decoded = undefined
}

const collect = ({ found, options }: State, { decoded }: Phase): void => {
  if (decoded === undefined) return
  for (const finding of decoded.reader.take())
    found.push(translated(finding, decoded.map, options.encoding.code))
}

const cleared = (state: State): number => {
  const { length, at, phases, options } = state
  if (length <= SHOWN) return at
  let first = at
  for (const phase of phases.length === 0 ? phasesOf(options.encoding) : phases) {
    if (phase.decoded !== undefined)
      first = Math.min(first, phase.decoded.map.start(phase.decoded.reader.cleared()))
    else if (mayOpen(state, phase)) first = Math.min(first, state.begin + phase.next + SHOWN)
  }
  return first
}

/** Whether the part of a block that is there may be the beginning of a readable one. */
const mayOpen = ({ kept, length, options }: State, { next, block }: Phase): boolean => {
  if (length - next <= SHOWN) return false
  const part = { ...block, from: next - length + kept.length, to: kept.length }
  return decodeBlock(options.encoding, kept, part) !== undefined
}
