/** How bytes are written as a run of characters. */
export interface Encoding {
  readonly code: 'decoded:base64' | 'decoded:hex'
  /** By UTF-16 unit below 128: the value of a digit, or -1. */
  readonly digits: Int8Array
  /** A group of so many characters writes whole bytes: three in four, or one in two. */
  readonly characters: 2 | 4
}

const digitsOf = (...alphabets: readonly string[]): Int8Array => {
  const digits = new Int8Array(128).fill(-1)
  for (const alphabet of alphabets)
    for (let value = 0; value < alphabet.length; value++) digits[alphabet.charCodeAt(value)] = value
  return digits
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** RFC 4648 sections 4 and 5: both alphabets at once, since decoders in the field take either. */
export const BASE64: Encoding = {
  code: 'decoded:base64',
  digits: digitsOf(`${LETTERS}+/`, `${LETTERS}-_`),
  characters: 4,
}

export const HEX: Encoding = {
  code: 'decoded:hex',
  digits: digitsOf('0123456789abcdef', '0123456789ABCDEF'),
  characters: 2,
}

/** Whether a unit is a digit of the encoding. */
export const isDigit = ({ digits }: Encoding, unit: number): boolean =>
  unit < 128 && (digits[unit] as number) >= 0

/** A character of UTF-8 whose bytes are not all there yet: how many are missing, and the bits so far. */
export interface Unfinished {
  missing: number
  bits: number
}

/** A block may have so many characters that are no text, such as a broken character at its beginning. */
const MOST_UNREADABLE = 2

/** The text that a block of digits encodes in UTF-8; undefined when it is not readable. Ends early when it cannot be. */
export const decodeBlock = (
  { digits, characters }: Encoding,
  block: string,
  unfinished: Unfinished,
): string | undefined => {
  const width = characters === 4 ? 6 : 4
  let held = 0
  let count = 0
  let unreadable = 0
  let text = ''
  for (let at = 0; at < block.length; at++) {
    held = ((held << width) | (digits[block.charCodeAt(at)] as number)) & 0xffff
    count += width
    if (count < 8) continue
    count -= 8
    const point = nextPoint((held >> count) & 0xff, unfinished)
    if (point === UNFINISHED) continue
    if (point === BROKEN || (point < 32 && point !== 9 && point !== 10 && point !== 13) || point === 127)
      unreadable++
    if (unreadable > MOST_UNREADABLE) return undefined
    text += point === BROKEN ? '\ufffd' : String.fromCodePoint(point)
  }
  return text
}

const UNFINISHED = -1
const BROKEN = -2

const nextPoint = (byte: number, unfinished: Unfinished): number => {
  if (unfinished.missing > 0 && byte >> 6 === 2) {
    unfinished.missing--
    unfinished.bits = (unfinished.bits << 6) | (byte & 63)
    if (unfinished.missing > 0) return UNFINISHED
    return unfinished.bits > 0x10ffff ? BROKEN : unfinished.bits
  }
  const interrupted = unfinished.missing > 0
  unfinished.missing = 0
  if (byte < 128) return byte
  if (interrupted || byte < 0xc2 || byte > 0xf4) return BROKEN
  unfinished.missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1
  unfinished.bits = byte & (0x3f >> unfinished.missing)
  return UNFINISHED
}
