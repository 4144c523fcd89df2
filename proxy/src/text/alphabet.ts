import { type Charset, has } from './charset.ts'
import type { View } from './reading.ts'
import { foldedOf, IGNORED, OTHER, plainOf } from './fold.ts'

/**
 * The classes of characters that the rules of one view can tell apart. Reading a text through it is the view: texts are
 * never rewritten, so findings need no offset map.
 */
export interface Alphabet extends AlphabetData {
  readonly classOfPair: (point: number) => number
}

/** What can be stored of it: `openAlphabet` makes the alphabet of it again. */
export interface AlphabetData {
  readonly view: View
  readonly size: number
  /** Class of each UTF-16 unit; LOOK for the first half of a pair, which `classOfPair` knows. */
  readonly classOf: Uint16Array
  /** Class of the code points beyond the basic plane that read as something else than the rest of them. */
  readonly pairs: ReadonlyMap<number, number>
  readonly otherPair: number
  /** Class of the first half of a pair that stands alone, from U+D800 on. */
  readonly lone: Uint16Array
  /** For each class, a character code that it reads as; meaningless for LOOK and SKIP. */
  readonly codes: readonly number[]
}

/** The class of what must be looked at as a code point. */
export const LOOK = 0
/** The class of what the view ignores. */
export const SKIP = 1

const MOST_CLASSES = 2000

/** `sets` are all sets that the rules use. Throws RangeError when they tell too many classes apart. */
export const alphabetOf = (view: View, sets: readonly Charset[]): Alphabet => {
  const distinct = [...new Set(sets)]
  const cuts = new Set([0, OTHER, IGNORED])
  for (const [from, to] of distinct.flat()) cuts.add(from).add(to + 1)
  const starts = [...cuts].filter((cut) => cut <= 0xffff).toSorted((a, b) => a - b)
  const byMembers = new Map<string, number>()
  const codes = [-1, -1]
  const table = new Uint16Array(0x10000)
  starts.forEach((start, i) => {
    const members = distinct.map((set) => (has(set, start) ? '1' : '0')).join('')
    const cls = byMembers.get(members) ?? codes.push(start) - 1
    byMembers.set(members, cls)
    table.fill(cls, start, starts[i + 1] ?? 0x10000)
  })
  if (codes.length > MOST_CLASSES) throw new RangeError('the rules tell too many characters apart')
  const classFor = (reading: number): number => (reading === IGNORED ? SKIP : (table[reading] as number))
  if (view === 'raw') {
    const lone = new Uint16Array(HIGHS).fill(SKIP)
    return openAlphabet({
      view,
      size: codes.length,
      classOf: table,
      pairs: new Map(),
      otherPair: SKIP,
      lone,
      codes,
    })
  }
  const { units, pairs } = readings[view]()
  const otherPair = classFor(OTHER)
  return openAlphabet({
    view,
    size: codes.length,
    classOf: Uint16Array.from(units, (reading, unit) => (isHigh(unit) ? LOOK : classFor(reading))),
    pairs: new Map(
      [...pairs]
        .map(([point, reading]) => [point, classFor(reading)] as const)
        .filter(([, cls]) => cls !== otherPair),
    ),
    otherPair,
    lone: Uint16Array.from({ length: HIGHS }, (_, at) => classFor(FIRST_HIGH + at)),
    codes,
  })
}

export const openAlphabet = (data: AlphabetData): Alphabet => {
  const { pairs, otherPair, lone } = data
  return {
    ...data,
    classOfPair: (point) =>
      point > 0xffff ? (pairs.get(point) ?? otherPair) : (lone[point - FIRST_HIGH] ?? otherPair),
  }
}

const FIRST_HIGH = 0xd800
const HIGHS = 0x400

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/** Code points beyond the basic plane that read as anything but themselves. */
const IMITATORS: readonly (readonly [number, number])[] = [
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0x1d400, 0x1d7ff],
  [0x1f000, 0x1faff],
  [0xe0000, 0xe0fff],
]

interface Readings {
  readonly units: Uint16Array
  readonly pairs: ReadonlyMap<number, number>
}

/** How every character reads does not depend on the rules. */
const readingsOf = (reads: (point: number) => number): (() => Readings) => {
  let known: Readings | undefined
  return () => {
    if (known !== undefined) return known
    const pairs = new Map<number, number>()
    for (const [from, to] of IMITATORS)
      for (let point = from; point <= to; point++) pairs.set(point, reads(point))
    return (known = { units: Uint16Array.from({ length: 0x10000 }, (_, unit) => reads(unit)), pairs })
  }
}

const readings = { plain: readingsOf(plainOf), folded: readingsOf(foldedOf) }
