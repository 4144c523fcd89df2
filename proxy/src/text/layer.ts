import type { Finding } from '../core/finding.ts'
import type { CipherReader } from './cipher.ts'
import { type Ciphers, readCiphers } from './ciphers.ts'
import { clearedBy } from './cleared.ts'
import { escapeAt, escapesNothing, mayEscape } from './escapes.ts'
import { cipherOf } from './gates.ts'
import { listBefore, listReader } from './list-reader.ts'
import type { Program } from './program.ts'
import { LONGEST } from './reach.ts'
import type { DecodingReader, Reader } from './reader.ts'
import { copyRun, isInStep, restart, type Run, startRun } from './run.ts'
import { lastRun } from './run-reader.ts'
import { runReaders } from './run-readers.ts'
import { settleAtEnd } from './settle.ts'
import { take } from './take.ts'
import { unescaper, type Unescaper } from './unescape.ts'

/** A program, and by machine whether text is held back for its findings. */
export interface Held {
  readonly program: Program
  readonly held: Uint8Array
}

/** How often what was decoded is decoded again. */
const DEEPEST = 2

/** A reading of a text with its escapes undone, and the layer that it reads with. */
interface Escaped {
  readonly reader: Unescaper
  readonly layer: Layer
}

interface Layer {
  readonly programs: readonly Held[]
  readonly depth: number
  readonly runs: readonly Run[]
  readonly encoded: readonly DecodingReader[]
  escaped: Escaped | undefined
  readonly ciphers: Ciphers
  /** The last findings that were taken. */
  taken: readonly Finding[]
  /** What a reading found that has been closed since. */
  found: readonly Finding[]
  /** The first half of a surrogate pair whose second is still to come. */
  carried: string
  length: number
}

/** Reads a text with all rules, and what is encoded in it. `depth` is how often it has been decoded. */
export const openLayer = (programs: readonly Held[], depth = 0): Reader =>
  readerOf(
    layerOf(
      programs,
      depth,
      programs.map(({ program }) => startRun(program)),
    ),
  )

/** Reads whole texts one after the other, with the same memory. */
export const wholeTexts = (programs: readonly Held[]): ((text: string) => readonly Finding[]) => {
  const runs = programs.map(({ program }) => startRun(program))
  return (text) => {
    const layer = layerOf(programs, 0, runs)
    try {
      pushWhole(layer, text)
      endOf(layer)
      return takeOf(layer)
    } finally {
      // Also after an error: a caller's text must not stay in memory.
      runs.forEach(restart)
    }
  }
}

const NOTHING: readonly Finding[] = []

const layerOf = (programs: readonly Held[], depth: number, runs: readonly Run[]): Layer => {
  const [first] = runs
  const before = first?.text ?? ''
  const openDecoded = () => openLayer(programs, depth + 1)
  const length = (first?.base ?? 0) + before.length
  return {
    programs,
    depth,
    runs,
    encoded: depth === DEEPEST ? [] : encodedBehind({ before, length, openDecoded }),
    escaped: undefined,
    ciphers: new Map(),
    found: NOTHING,
    taken: NOTHING,
    carried: '',
    length,
  }
}

interface Behind {
  /** The text before, as far as it is known, and the length of all of it. */
  readonly before: string
  readonly length: number
  readonly openDecoded: () => Reader
}

/** Readers that know the run of digits, or the list, which the text before ends with. */
const encodedBehind = ({ before, length, openDecoded }: Behind): readonly DecodingReader[] => {
  const digits = before.slice(lastRun(before))
  const list = listBefore(before)
  const runs = runReaders({ offset: length - digits.length, openDecoded })
  const lists = listReader({ offset: length - list.length, openDecoded })
  if (digits !== '') runs.push(digits)
  if (list !== '') lists.push(list)
  return [runs, lists]
}

const readerOf = (layer: Layer): Reader => ({
  push: (piece) => {
    const whole = layer.carried === '' ? piece : layer.carried + piece
    const half = endsInHalf(whole)
    layer.carried = half ? whole.slice(-1) : ''
    pushWhole(layer, half ? whole.slice(0, -1) : whole)
  },
  end: () => {
    pushWhole(layer, layer.carried)
    layer.carried = ''
    endOf(layer)
  },
  cleared: () => clearedOf(layer),
  take: () => takeOf(layer),
})

const endOf = (layer: Layer): void => {
  for (const run of layer.runs) settleAtEnd(run)
  readAllCiphers(layer)
  for (const reader of ciphersOf(layer)) reader.end()
  for (const reader of layer.encoded) reader.end()
  layer.escaped?.reader.end()
}

const endsInHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}

const pushWhole = (layer: Layer, piece: string): void => {
  if (layer.escaped !== undefined && !layer.escaped.reader.isEscape(piece)) layer.escaped = undefined
  let from = 0
  while (from < piece.length) from = pushPart(layer, piece, from)
}

/** Reads on to where a reading without escapes begins or may end; the place behind. */
const pushPart = (layer: Layer, piece: string, from: number): number => {
  if (layer.escaped === undefined) {
    const at = layer.depth === DEEPEST ? piece.length : firstEscape(layer, piece, from)
    read(layer, from === 0 ? piece.slice(0, at) : piece.slice(from, at))
    if (at < piece.length) layer.escaped = openEscaped(layer)
    return at
  }
  const to = stepEnd(piece, from)
  const part = piece.slice(from, to)
  layer.escaped.reader.push(part)
  read(layer, part)
  closeCalm(layer)
  return to
}

const firstEscape = (layer: Layer, piece: string, from: number): number => {
  if (from === 0 && escapesNothing(piece)) return piece.length
  for (let at = mayEscape(piece, from); at < piece.length; at = mayEscape(piece, at + 1)) {
    const before = at === 0 ? lastUnit(layer) : piece.charCodeAt(at - 1)
    if (escapeAt(piece, at, before) !== undefined) return at
  }
  return piece.length
}
/** Ciphers are read in the text as it is only, and by the rules alone, so that they never multiply with what is decoded. */
const readAllCiphers = ({ ciphers, runs, programs, depth }: Layer): void => {
  if (ciphers.size === 0 && runs.every(({ found }) => found.length === 0)) return
  if (depth === 0) readCiphers(ciphers, runs, () => openLayer(programs, DEEPEST))
  else for (const run of runs) run.found = run.found.filter(({ rule }) => cipherOf(rule) === undefined)
}

const ciphersOf = ({ ciphers }: Layer): readonly CipherReader[] =>
  ciphers.size === 0 ? NO_CIPHERS : [...ciphers.values()].flat()

const NO_CIPHERS: readonly CipherReader[] = []

/** A reading that goes on behind a place where something escaped is, or may be. */
const openEscaped = (layer: Layer): Escaped => {
  // The text so far reads the same with and without escapes, so the reading without begins as a copy of the other.
  const copy = layerOf(layer.programs, layer.depth + 1, layer.runs.map(copyRun))
  const reader = unescaper({ reader: readerOf(copy), offset: layer.length, before: lastUnit(layer) })
  return { reader, layer: copy }
}

/** What is read at once while there are two readings. */
const STEP = 1024

const stepEnd = (piece: string, from: number): number => {
  const to = Math.min(piece.length, from + STEP)
  return to < piece.length && endsInHalf(piece.slice(to - 1, to)) ? to + 1 : to
}

/** Ends the reading without escapes when it has become the same as the other. */
const closeCalm = (layer: Layer): void => {
  const { escaped } = layer
  if (escaped === undefined || escaped.reader.calm() < STEP) return
  const copy = escaped.layer
  const isQuiet = ({ encoded }: Layer): boolean => encoded.every((reader) => reader.isIdle())
  if (
    copy.escaped !== undefined ||
    copy.ciphers.size > 0 ||
    copy.carried !== '' ||
    !isQuiet(layer) ||
    !isQuiet(copy)
  )
    return
  if (!layer.runs.every((run, at) => isInStep(run, copy.runs[at] as Run))) return
  layer.found = [...layer.found, ...escaped.reader.take()]
  layer.escaped = undefined
}

const lastUnit = ({ runs }: Layer): number => {
  const text = runs[0]?.text ?? ''
  return text.charCodeAt(text.length - 1)
}

const read = (layer: Layer, piece: string): void => {
  if (piece === '') return
  take(layer.runs, piece)
  readAllCiphers(layer)
  for (const reader of layer.encoded) reader.push(piece)
  layer.length += piece.length
}

const clearedOf = (layer: Layer): number => {
  const { programs, runs, encoded, escaped, length } = layer
  let first = length
  runs.forEach((run, at) => (first = Math.min(first, clearedBy(run, (programs[at] as Held).held))))
  if (!programs.some(({ held }) => held.includes(1))) return first
  for (const reader of encoded) first = Math.min(first, reader.cleared())
  for (const reader of ciphersOf(layer)) first = Math.min(first, reader.cleared())
  return escaped === undefined ? first : Math.min(first, escaped.reader.cleared())
}

const takeOf = (layer: Layer): readonly Finding[] => {
  const { runs, encoded, escaped } = layer
  const found: Finding[] = [...layer.found]
  layer.found = NOTHING
  for (const run of runs) {
    if (run.found.length === 0) continue
    found.push(...run.found)
    run.found = []
  }
  for (const reader of encoded) found.push(...reader.take())
  for (const reader of ciphersOf(layer)) found.push(...reader.take())
  if (escaped !== undefined) found.push(...escaped.reader.take())
  return found.length === 0 ? found : withoutLonger(layer, found)
}

const isJoined = ({ evidence }: Finding): boolean => evidence.includes('decoded:joined')

/** Where a literal holds a whole finding, one that goes on in the next literal is none. */
const withoutLonger = (layer: Layer, found: readonly Finding[]): readonly Finding[] => {
  const { taken, length } = layer
  layer.taken = [...taken.filter(({ end }) => end > length - 2 * LONGEST), ...found]
  if (!found.some(isJoined)) return found
  const whole = new Map(
    [...taken, ...found].filter((one) => !isJoined(one)).map((one) => [`${one.rule} ${one.start}`, one.end]),
  )
  return found.filter(
    (one) => !isJoined(one) || (whole.get(`${one.rule} ${one.start}`) ?? one.end) >= one.end,
  )
}
