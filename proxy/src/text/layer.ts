import type { Finding } from '../core/finding.ts'
import { clearedBy } from './cleared.ts'
import { BASE32, BASE32_SMALL, BASE64, HEX } from './encodings.ts'
import { escapeAt, escapesNothing, mayEscape } from './escapes.ts'
import { listReader } from './list-reader.ts'
import type { Program } from './program.ts'
import type { Reader } from './reader.ts'
import { copyRun, restart, type Run, startRun } from './run.ts'
import { runReader } from './run-reader.ts'
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

interface Layer {
  readonly programs: readonly Held[]
  readonly depth: number
  readonly runs: readonly Run[]
  readonly encoded: readonly Reader[]
  escaped: Unescaper | undefined
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

const layerOf = (programs: readonly Held[], depth: number, runs: readonly Run[]): Layer => {
  const [first] = runs
  const offset = first === undefined ? 0 : first.base + first.text.length
  const openDecoded = () => openLayer(programs, depth + 1)
  return {
    programs,
    depth,
    runs,
    encoded:
      depth === DEEPEST
        ? []
        : [
            ...[BASE64, HEX, BASE32, BASE32_SMALL].map((encoding) =>
              runReader({ encoding, offset, openDecoded }),
            ),
            listReader({ offset, openDecoded }),
          ],
    escaped: undefined,
    carried: '',
    length: offset,
  }
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
  for (const reader of layer.encoded) reader.end()
  layer.escaped?.end()
}

const endsInHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}

const pushWhole = (layer: Layer, piece: string): void => {
  if (layer.escaped !== undefined && !layer.escaped.isEscape(piece)) layer.escaped = undefined
  if (layer.escaped !== undefined || layer.depth === DEEPEST || escapesNothing(piece)) {
    layer.escaped?.push(piece)
    read(layer, piece)
    return
  }
  for (let at = mayEscape(piece, 0); at < piece.length; at = mayEscape(piece, at + 1)) {
    if (escapeAt(piece, at) === undefined) continue
    // The text so far reads the same with and without escapes, so the reading without begins as a copy of the other.
    read(layer, piece.slice(0, at))
    const runs = layer.runs.map(copyRun)
    layer.escaped = unescaper(readerOf(layerOf(layer.programs, layer.depth + 1, runs)), layer.length)
    layer.escaped.push(piece.slice(at))
    read(layer, piece.slice(at))
    return
  }
  read(layer, piece)
}

const read = (layer: Layer, piece: string): void => {
  if (piece === '') return
  take(layer.runs, piece)
  for (const reader of layer.encoded) reader.push(piece)
  layer.length += piece.length
}

const clearedOf = ({ programs, runs, encoded, escaped, length }: Layer): number => {
  let first = length
  runs.forEach((run, at) => (first = Math.min(first, clearedBy(run, (programs[at] as Held).held))))
  if (!programs.some(({ held }) => held.includes(1))) return first
  for (const reader of encoded) first = Math.min(first, reader.cleared())
  return escaped === undefined ? first : Math.min(first, escaped.cleared())
}

const takeOf = ({ runs, encoded, escaped }: Layer): readonly Finding[] => {
  const found: Finding[] = []
  for (const run of runs) {
    if (run.found.length === 0) continue
    found.push(...run.found)
    run.found = []
  }
  for (const reader of encoded) found.push(...reader.take())
  if (escaped !== undefined) found.push(...escaped.take())
  return found
}
