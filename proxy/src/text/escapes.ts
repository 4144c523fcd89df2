import type { Escape } from './escape.ts'
import { isQuote, joinAt, mayStandBehindQuote, templateAt } from './joins.ts'

/** The escape at an offset; `more` when the text ends before it is clear; undefined when there is none. `before` is the unit before it, NaN at the beginning of a text. */
export const escapeAt = (text: string, at: number, before: number): Escape | 'more' | undefined => {
  switch (text.charCodeAt(at)) {
    case PERCENT:
      return percent(text, at)
    case AMPERSAND:
      return entity(text, at)
    case BACKSLASH:
      return backslash(text, at)
    case TAG:
      return tag(text, at)
    case DOUBLE_QUOTE:
    case APOSTROPHE:
    case BACKTICK:
      return joinAt(text, at, before)
    case DOLLAR:
    case BRACE:
      return templateAt(text, at)
    default:
      return undefined
  }
}

/** Where the next escape may begin, from an offset on; the length of the text when nowhere. */
export const mayEscape = (text: string, from: number): number => {
  const { length } = text
  for (let at = from; at < length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < 128 ? BEGINS[unit] === NEVER : unit !== TAG) continue
    if (unit >= 128 || BEGINS[unit] === ALWAYS || at + 1 === length) return at
    const next = text.charCodeAt(at + 1)
    if (
      BEGINS[unit] === AS_QUOTE ? mayStandBehindQuote(next) : unit === DOLLAR ? next === BRACE : isQuote(next)
    )
      return at
  }
  return length
}

const NEVER = 0
const ALWAYS = 1
const AS_QUOTE = 2
const AS_TEMPLATE = 3

/** Whether no escape can be in a text. For long texts the search of the JavaScript engine beats a loop. */
export const escapesNothing = (text: string): boolean =>
  text.length < 48
    ? mayEscape(text, 0) === text.length
    : !BEGINNINGS.some((begin) => text.includes(begin)) && !text.includes('\udb40')

const BEGINNINGS = ["'", '"', '%', '&', '\\', '{', '`', '$']
const BEGINS = new Uint8Array(128)
for (const begin of BEGINNINGS)
  BEGINS[begin.charCodeAt(0)] = '\'"`'.includes(begin)
    ? AS_QUOTE
    : '{$'.includes(begin)
      ? AS_TEMPLATE
      : ALWAYS

const PERCENT = 0x25
const AMPERSAND = 0x26
const BACKSLASH = 0x5c
const DOUBLE_QUOTE = 0x22
const APOSTROPHE = 0x27
const BACKTICK = 0x60
const DOLLAR = 0x24
const BRACE = 0x7b
/** First unit of the tag characters, U+E0000 to U+E007F, which mirror ASCII and show nothing. */
const TAG = 0xdb40

const hexValue = (unit: number): number => {
  if (unit >= 48 && unit <= 57) return unit - 48
  const letter = unit | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** The number that `digits` hexadecimal digits write; -1 when they do not, NaN when the text ends first. */
const hexAt = (text: string, at: number, digits: number): number => {
  let value = 0
  for (let i = at; i < at + digits; i++) {
    if (i >= text.length) return Number.NaN
    const digit = hexValue(text.charCodeAt(i))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

const REPLACEMENT = '\ufffd'

const percent = (text: string, at: number): Escape | 'more' | undefined => {
  const code = 'decoded:percent'
  const lead = hexAt(text, at + 1, 2)
  if (Number.isNaN(lead)) return 'more'
  if (lead < 0) return (text.charCodeAt(at + 1) | 32) === SMALL_U ? wide(text, at) : undefined
  if (lead < 0x80) return { length: 3, text: String.fromCharCode(lead), code }
  const count = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0
  let point = lead & (0x3f >> count)
  for (let i = 1; i <= count; i++) {
    const place = at + 3 * i
    if (place >= text.length) return 'more'
    const next = text.charCodeAt(place) === PERCENT ? hexAt(text, place + 1, 2) : -1
    if (Number.isNaN(next)) return 'more'
    if (next < 0x80 || next > 0xbf) return { length: 3, text: REPLACEMENT, code }
    point = point * 64 + (next & 0x3f)
  }
  return count === 0
    ? { length: 3, text: REPLACEMENT, code }
    : { length: 3 * count + 3, text: characterOf(point), code }
}

const SMALL_U = 0x75

/** `%u0041`, as the function `escape` of JavaScript writes it. */
const wide = (text: string, at: number): Escape | 'more' | undefined => {
  const unit = hexAt(text, at + 2, 4)
  if (Number.isNaN(unit)) return 'more'
  return unit < 0 ? undefined : { length: 6, text: String.fromCharCode(unit), code: 'decoded:percent' }
}

const characterOf = (point: number): string => (point <= 0x10ffff ? String.fromCodePoint(point) : REPLACEMENT)

/** The named references that stand for ASCII, which are all that hide something here. */
// prettier-ignore
const NAMED: Readonly<Record<string, string>> = {
  amp: '&', apos: "'", ast: '*', bsol: '\\', colon: ':', comma: ',', commat: '@', dollar: '$', equals: '=', excl: '!',
  grave: '`', gt: '>', hyphen: '-', lbrace: '{', lbrack: '[', lcub: '{', lowbar: '_', lpar: '(', lsqb: '[', lt: '<',
  nbsp: ' ', newline: '\n', num: '#', percnt: '%', period: '.', plus: '+', quest: '?', quot: '"', rbrace: '}',
  rbrack: ']', rcub: '}', rpar: ')', rsqb: ']', semi: ';', shy: '\u00ad', sol: '/', tab: '\t', verbar: '|', vert: '|',
  zerowidthspace: '\u200b', zwj: '\u200d', zwnj: '\u200c',
}

const LONGEST_ENTITY = 16

const entity = (text: string, at: number): Escape | 'more' | undefined => {
  if (text.charCodeAt(at + 1) === NUMBER_SIGN) return numbered(text, at)
  let end = at + 1
  for (; end < at + LONGEST_ENTITY; end++) {
    if (end >= text.length) return 'more'
    const unit = text.charCodeAt(end)
    if (unit === SEMICOLON) break
    const alphanumeric = (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122)
    if (!alphanumeric) return undefined
  }
  if (end >= text.length || text.charCodeAt(end) !== SEMICOLON) return undefined
  const meant = NAMED[text.slice(at + 1, end).toLowerCase()]
  return meant === undefined ? undefined : { length: end + 1 - at, text: meant, code: 'decoded:entity' }
}

const NUMBER_SIGN = 0x23
const SEMICOLON = 0x3b
const SMALL_X = 0x78
const MOST_DIGITS = 8

/** Browsers read a number also where its semicolon is missing. */
const numbered = (text: string, at: number): Escape | 'more' | undefined => {
  const hexadecimal = (text.charCodeAt(at + 2) | 32) === SMALL_X
  const from = at + (hexadecimal ? 3 : 2)
  let end = from
  let value = 0
  for (; end < text.length && end - from <= MOST_DIGITS; end++) {
    const digit = hexValue(text.charCodeAt(end))
    if (digit < 0 || (digit > 9 && !hexadecimal)) break
    value = value * (hexadecimal ? 16 : 10) + digit
  }
  if (end - from > MOST_DIGITS) return undefined
  if (end >= text.length) return 'more'
  if (end === from) return undefined
  const length = end - at + (text.charCodeAt(end) === SEMICOLON ? 1 : 0)
  return { length, text: characterOf(value), code: 'decoded:entity' }
}

// prettier-ignore
const SIMPLE: Readonly<Record<string, string>> = {
  n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', '0': '\0', '"': '"', "'": "'", '/': '/', '\\': '\\',
}

const backslash = (text: string, at: number): Escape | 'more' | undefined => {
  if (at + 1 >= text.length) return 'more'
  const kind = text.charAt(at + 1)
  const code = 'decoded:escape'
  const simple = SIMPLE[kind]
  if (simple !== undefined) return { length: 2, text: simple, code }
  if (kind === 'u' && text.charAt(at + 2) === '{') return braced(text, at)
  const digits = kind === 'x' ? 2 : kind === 'u' ? 4 : kind === 'U' ? 8 : 0
  if (digits === 0) return undefined
  const value = hexAt(text, at + 2, digits)
  if (Number.isNaN(value)) return 'more'
  if (value < 0 || value > 0x10ffff) return undefined
  return {
    length: 2 + digits,
    text: value > 0xffff ? String.fromCodePoint(value) : String.fromCharCode(value),
    code,
  }
}

const braced = (text: string, at: number): Escape | 'more' | undefined => {
  let end = at + 3
  let value = 0
  for (; end < at + 10 && hexValue(text.charCodeAt(end)) >= 0; end++)
    value = value * 16 + hexValue(text.charCodeAt(end))
  if (end >= text.length) return 'more'
  if (end === at + 3 || text.charAt(end) !== '}' || value > 0x10ffff) return undefined
  return { length: end + 1 - at, text: String.fromCodePoint(value), code: 'decoded:escape' }
}

const tag = (text: string, at: number): Escape | 'more' | undefined => {
  if (at + 1 >= text.length) return 'more'
  const low = text.charCodeAt(at + 1)
  if (low < 0xdc20 || low > 0xdc7e) return undefined
  return { length: 2, text: String.fromCharCode(low - 0xdc00), code: 'decoded:tags' }
}
