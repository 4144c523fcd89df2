/** How bytes are written as a run of characters. */
export interface Encoding {
  readonly code: 'decoded:base64' | 'decoded:base32' | 'decoded:hex'
  /** By UTF-16 unit below 128: the value of a digit, or -1. */
  readonly digits: Int8Array
  /** A group of so many characters writes whole bytes: three in four, five in eight, or one in two. */
  readonly characters: 2 | 4 | 8
  /** Bits that a digit writes. */
  readonly bits: 4 | 5 | 6
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
  bits: 6,
}

export const HEX: Encoding = {
  code: 'decoded:hex',
  digits: digitsOf('0123456789abcdef', '0123456789ABCDEF'),
  characters: 2,
  bits: 4,
}

/** RFC 4648 section 6. */
export const BASE32: Encoding = {
  code: 'decoded:base32',
  digits: digitsOf('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'),
  characters: 8,
  bits: 5,
}

/** Decoders take lower case too. Apart from upper case, since both at once are found everywhere in base64. */
export const BASE32_SMALL: Encoding = {
  ...BASE32,
  digits: digitsOf('abcdefghijklmnopqrstuvwxyz234567'),
}
