import { MORSE, rot13 } from './mutators/encodings.ts'
import { LOOKALIKES } from './mutators/unicode.ts'

const MOST_READINGS = 400
const MOST_CHARACTERS = 60_000
const DEPTH = 3

type Reader = (text: string) => readonly string[]

/** Everything a text may mean to a reader that decodes whatever it can, up to three layers; bounded in number and length. */
export const readings = (text: string): ReadonlySet<string> => {
  const seen = new Set<string>([text.slice(0, MOST_CHARACTERS)])
  let layer = [...seen]
  for (let depth = 0; depth < DEPTH; depth++) {
    const next = layer.flatMap((from) => READERS.flatMap((read) => read(from)))
    layer = []
    for (const found of next) {
      if (found.length < 8 || seen.has(found) || seen.size >= MOST_READINGS) continue
      seen.add(found)
      layer.push(found)
    }
  }
  return seen
}

const wherever =
  (pattern: RegExp, decode: (found: string) => string): Reader =>
  (text) =>
    [...text.matchAll(pattern)].slice(0, 8).map(([found]) => decode(found))

const replaced = (pattern: RegExp, decode: (found: string) => string): Reader => {
  return (text) => {
    const changed = text.replace(pattern, decode)
    return changed === text ? [] : [changed]
  }
}

const LETTERS = new Map(Object.entries(MORSE).map(([letter, code]) => [code, letter]))
const LATIN = new Map(Object.entries(LOOKALIKES).map(([latin, lookalike]) => [lookalike, latin]))
const LEET: Readonly<Record<string, string>> = { '4': 'a', '3': 'e', '1': 'i', '0': 'o', '5': 's', '7': 't' }
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const morse = (found: string): string =>
  found
    .trim()
    .split(' ')
    .map((code) => (code === '/' ? ' ' : (LETTERS.get(code) ?? '')))
    .join('')

const base32 = (found: string): string => {
  const bits = Array.from(found)
    .map((symbol) => BASE32.indexOf(symbol).toString(2).padStart(5, '0'))
    .join('')
  return bytes((bits.match(/.{8}/g) ?? []).map((eight) => parseInt(eight, 2)))
}

const bytes = (values: readonly number[]): string =>
  values.every((value) => value < 256) ? Buffer.from(values).toString('utf8') : ''

const squared = (found: string): string => String.fromCodePoint((found.codePointAt(0) ?? 0) - 0x1f130 + 97)

const unspaced: Reader = (text) => {
  const words = text.split(/ {3}|\n/).map((word) => word.replaceAll(' ', ''))
  return words.length > 3 ? [words.join(' ')] : []
}

/** `a = "…"`, `b = "…"`: the pieces, put together. */
const assigned: Reader = (text) => {
  const pieces = [...text.matchAll(/^\w{1,12} = ("(?:[^"\\]|\\.)*")$/gm)].map(([, literal = '""']) =>
    literal.slice(1, -1).replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
  )
  return pieces.length > 1 ? [pieces.join('')] : []
}

const READERS: readonly Reader[] = [
  wherever(/[A-Za-z0-9+/]{16,}={0,2}/g, (found) => Buffer.from(found, 'base64').toString('utf8')),
  wherever(/[A-Z2-7]{16,}/g, base32),
  wherever(/(?:[0-9a-fA-F]{2}){8,}/g, (found) => Buffer.from(found, 'hex').toString('utf8')),
  wherever(/[.\-/ ]{20,}/g, morse),
  wherever(/(?:[01]{8} ?){8,}/g, (found) =>
    bytes(
      found
        .trim()
        .split(' ')
        .map((byte) => parseInt(byte, 2)),
    ),
  ),
  wherever(/(?:\d{2,3} ){8,}\d{2,3}/g, (found) => bytes(found.split(' ').map(Number))),
  wherever(/[\u{e0020}-\u{e007e}]{8,}/gu, (found) =>
    Array.from(found)
      .map((tag) => String.fromCodePoint((tag.codePointAt(0) ?? 0) - 0xe0000))
      .join(''),
  ),
  replaced(/(?:%[0-9a-f]{2}){4,}/gi, (found) =>
    Buffer.from(found.replaceAll('%', ''), 'hex').toString('utf8'),
  ),
  replaced(/&#(?:\d{2,7});/g, (found) => String.fromCodePoint(Number(found.slice(2, -1)) % 0x110000)),
  replaced(/\\u[0-9a-f]{4}/gi, (found) => String.fromCharCode(parseInt(found.slice(2), 16))),
  replaced(/[\u00ad\u0300-\u036f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f]/g, () => ''),
  replaced(/[\u0400-\u04ff]/g, (found) => LATIN.get(found) ?? found),
  replaced(/[431057]/g, (found) => LEET[found] ?? found),
  replaced(/[\u{1f130}-\u{1f149}]/gu, squared),
  replaced(/["\\]+n? {0,2}|\n(?: {4}# |[ ]{2})?/g, () => ' '),
  unspaced,
  assigned,
  (text) => [text.normalize('NFKC')].filter((plain) => plain !== text),
  (text) => (/rot-?13/i.test(text) ? [rot13(text)] : []),
  (text) => (/revers|backward/i.test(text) ? [Array.from(text).reverse().join('')] : []),
]
