import { look } from './confusables.ts'

/** What a character reads as in a view: a UTF-16 code, or one of the two below (both noncharacters). */
export const IGNORED = 0xffff
/** A character outside the basic plane that imitates nothing. */
export const OTHER = 0xfffe

const BLANK = 32

/** Characters that show nothing: soft hyphen, zero width, bidirectional controls, fillers, variation selectors, tags. */
const INVISIBLE: readonly (readonly [number, number])[] = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
]

/** Combining marks that may be piled on Latin letters. */
const MARKS: readonly (readonly [number, number])[] = [
  [0x300, 0x36f],
  [0x483, 0x489],
  [0x591, 0x5bd],
  [0x610, 0x61a],
  [0x64b, 0x65f],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20ff],
  [0xfe20, 0xfe2f],
]

/** White space, punctuation and symbols: in the folded view one run of them is one blank. */
const BLANKS: readonly (readonly [number, number])[] = [
  [0x00, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x60],
  [0x7b, 0xa9],
  [0xab, 0xb1],
  [0xb4, 0xb4],
  [0xb6, 0xb8],
  [0xbb, 0xbb],
  [0xbf, 0xbf],
  [0xd7, 0xd7],
  [0xf7, 0xf7],
  [0x2b9, 0x2df],
  [0x2000, 0x206f],
  [0x20a0, 0x20cf],
  [0x2190, 0x245f],
  [0x2500, 0x2bff],
  [0x2e00, 0x2e7f],
  [0x3000, 0x3003],
  [0x3008, 0x3020],
  [0x3030, 0x3030],
  [0xfe10, 0xfe1f],
  [0xfe30, 0xfe6f],
  [0x1f000, 0x1f0ff],
  [0x1f200, 0x1faff],
]

/** Where the Unicode tables know compatibility forms of ASCII; elsewhere nothing is looked up. */
const COMPATIBLE: readonly (readonly [number, number])[] = [
  [0xa0, 0x24f],
  [0x2b0, 0x2ff],
  [0x1d00, 0x1dbf],
  [0x1e00, 0x1fff],
  [0x2000, 0x24ff],
  [0x2c60, 0x2c7f],
  [0x3000, 0x33ff],
  [0xa720, 0xa7ff],
  [0xfe00, 0xffef],
  [0x1d400, 0x1d7ff],
  [0x1f100, 0x1f1ff],
]

const within = (ranges: readonly (readonly [number, number])[], code: number): boolean =>
  ranges.some(([from, to]) => from <= code && code <= to)

/** How a code point reads in the plain view: invisible characters ignored, compatibility forms of ASCII as ASCII. */
export const plainOf = (point: number): number => {
  if (point < 128) return point
  if (within(INVISIBLE, point)) return IGNORED
  const ascii = compatible(point, 'NFKC')
  if (ascii !== undefined && ascii < 128) return ascii
  return point > 0xffff ? OTHER : point
}

/** How a code point reads in the folded view: lower case, look-alikes as what they imitate, all punctuation as a blank. */
export const foldedOf = (point: number): number => {
  if (within(INVISIBLE, point) || within(MARKS, point)) return IGNORED
  const shape = look(lower(compatible(point, 'NFKD') ?? point))
  if (within(BLANKS, shape)) return BLANK
  return shape > 0xffff ? OTHER : shape
}

/** The one character that a code point stands for: marks stay with their letter in NFKC, and are left out in NFKD. */
const compatible = (point: number, form: 'NFKC' | 'NFKD'): number | undefined => {
  if (!within(COMPATIBLE, point)) return undefined
  if (point >= 0x1f130) return enclosed(point)
  const parts = Array.from(
    String.fromCodePoint(point).normalize(form),
    (part) => part.codePointAt(0) as number,
  )
  const bases = parts.filter((part) => !within(MARKS, part))
  return bases.length === 1 ? bases[0] : undefined
}

/** Squared and circled Latin letters and regional indicators: four alphabets in a row, in part without decomposition. */
const enclosed = (point: number): number | undefined => {
  for (const start of [0x1f130, 0x1f150, 0x1f170, 0x1f1e6])
    if (point >= start && point < start + 26) return 65 + point - start
  return undefined
}

const lower = (point: number): number => {
  if (point >= 65 && point <= 90) return point + 32
  if (point < 0xc0) return point
  const small = String.fromCodePoint(point).toLowerCase()
  const code = small.codePointAt(0) as number
  return small.length === (code > 0xffff ? 2 : 1) ? code : point
}
