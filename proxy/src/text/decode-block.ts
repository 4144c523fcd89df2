import type { Encoding } from './encodings.ts'

/** A block of digits in a text, perhaps with line breaks, and what is left over of the block before. */
export interface Block {
  from: number
  to: number
  /** Bits of a byte that is not complete, and how many. */
  held: number
  count: number
  /** How many bytes of a character of UTF-8 that is not complete are missing, and its bits so far. */
  missing: number
  bits: number
}

/** A block may have so many characters that are no text, such as a broken character at its beginning. */
const MOST_UNREADABLE = 2

/** The text that a block encodes in UTF-8, or in UTF-16 as far as that is ASCII with zeros between; undefined when it is not readable, which most are not after a few digits. */
export const decodeBlock = ({ digits, bits }: Encoding, text: string, block: Block): string | undefined => {
  const points: number[] = []
  let unreadable = 0
  let zeros = 0
  for (let at = block.from; at < block.to; at++) {
    const digit = digits[text.charCodeAt(at)] as number
    if (digit < 0) continue
    block.held = ((block.held << bits) | digit) & 0xffff
    block.count += bits
    if (block.count < 8) continue
    block.count -= 8
    const point = nextPoint((block.held >> block.count) & 0xff, block)
    if (point === UNFINISHED) continue
    if (point === 0) {
      zeros++
      continue
    }
    if (isUnreadable(point) && ++unreadable > MOST_UNREADABLE) return undefined
    points.push(point)
  }
  // In UTF-16 every other byte is zero.
  if (Math.abs(zeros - points.length) > 1) unreadable += zeros
  return unreadable > MOST_UNREADABLE ? undefined : String.fromCodePoint(...points)
}

const UNFINISHED = -1
const BROKEN = 0xfffd

const isUnreadable = (point: number): boolean =>
  point === BROKEN || point === 127 || (point < 32 && point !== 9 && point !== 10 && point !== 13)

const nextPoint = (byte: number, block: Block): number => {
  if (block.missing > 0 && byte >> 6 === 2) {
    block.missing--
    block.bits = (block.bits << 6) | (byte & 63)
    if (block.missing > 0) return UNFINISHED
    return block.bits > 0x10ffff ? BROKEN : block.bits
  }
  const interrupted = block.missing > 0
  block.missing = 0
  if (byte < 128) return byte
  if (interrupted || byte < 0xc2 || byte > 0xf4) return BROKEN
  block.missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1
  block.bits = byte & (0x3f >> block.missing)
  return UNFINISHED
}
