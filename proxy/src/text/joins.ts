import type { Escape } from './escape.ts'

/**
 * What stands between two string literals that a program puts together reads as nothing: `"AK" + "IA"`, `"AK" "IA"`, `'AK' . 'IA'`,
 * and `a = "AK"; b = "IA"`, which is joined later. `before` is the unit before the quote, NaN at the beginning of a text: it tells
 * most quotes that close a literal from those that open one.
 */
export const joinAt = (text: string, at: number, before: number): Escape | 'more' | undefined => {
  if (!mayEndPiece(before)) return undefined
  const end = behindJoin(text, at, before)
  return typeof end === 'number' ? { length: end - at, text: '', code: 'decoded:joined' } : end
}

/** Most quotes are apostrophes, or have a letter, a comma or a colon behind them, and join nothing. */
export const mayStandBehindQuote = (unit: number): boolean => unit < 128 && KINDS[unit] !== OTHER

/** A literal within a template reads as what it says: `${"AKIA"}`, `{'AKIA'}`. */
export const templateAt = (text: string, at: number): Escape | 'more' | undefined => {
  const brace = text.charCodeAt(at) === DOLLAR ? at + 1 : at
  if (brace >= text.length) return 'more'
  if (text.charCodeAt(brace) !== BRACE) return undefined
  if (brace + 1 >= text.length) return 'more'
  const quote = text.charCodeAt(brace + 1)
  if (!isQuote(quote)) return undefined
  const from = brace + 2
  for (let end = from; end - from <= LONGEST_LITERAL; end++) {
    if (end + 1 >= text.length) return 'more'
    const unit = text.charCodeAt(end)
    if (unit === quote) {
      if (end === from || text.charCodeAt(end + 1) !== CLOSING_BRACE) return undefined
      return { length: end + 2 - at, text: text.slice(from, end), code: 'decoded:joined' }
    }
    if (unit === NEW_LINE || unit === BRACE || unit === CLOSING_BRACE || unit === BACKSLASH) return undefined
  }
  return undefined
}

const LONGEST_LITERAL = 64
/** A longer way from one literal to the next joins nothing. */
const LONGEST_JOIN = 128

const NEW_LINE = 10
const DOUBLE_QUOTE = 34
const DOLLAR = 36
const APOSTROPHE = 39
const EQUALS = 61
const BACKSLASH = 92
const BACKTICK = 96
const BRACE = 123
const CLOSING_BRACE = 125

export const isQuote = (unit: number): boolean =>
  unit === DOUBLE_QUOTE || unit === APOSTROPHE || unit === BACKTICK

const OTHER = 0
const BLANK = 1
const OPERATOR = 2
const QUOTE = 3

/** What may stand directly behind the quote that ends a piece. */
const KINDS = new Uint8Array(128)
for (const char of ' \t\n\r;)\\') KINDS[char.charCodeAt(0)] = BLANK
for (const char of '+.&|~<^') KINDS[char.charCodeAt(0)] = OPERATOR
for (const char of '"\'`') KINDS[char.charCodeAt(0)] = QUOTE

const kindAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at)
  return unit < 128 ? (KINDS[unit] as number) : OTHER
}

/** Not directly behind what opens something, where a quote begins a literal. */
const mayEndPiece = (before: number): boolean =>
  !Number.isNaN(before) && !isQuote(before) && before !== 40 && before !== 91 && before !== BRACE

const isLetter = (unit: number): boolean => (unit | 32) >= 97 && (unit | 32) <= 122
const isName = (unit: number): boolean => isLetter(unit) || (unit >= 48 && unit <= 57) || unit === 95

/** What was passed over between two parts of a join. */
const LINE = 1
const STATEMENT = 2
const PAREN = 4
const SPACE = 8

/** A place in a text that is being walked through; it stops at `limit`. */
interface Walk {
  readonly text: string
  readonly limit: number
  at: number
  /** LINE, STATEMENT, PAREN and SPACE, as far as they were passed over. */
  passed: number
}

/** Where the text goes on behind a join that begins with the quote at a place; undefined when there is none. */
const behindJoin = (text: string, at: number, before: number): number | 'more' | undefined => {
  const walk: Walk = { text, limit: at + LONGEST_JOIN, at: at + 1, passed: 0 }
  skipBlanks(walk)
  if (isOut(walk)) return outOf(walk)
  const unit = text.charCodeAt(walk.at)
  const kind = kindAt(text, walk.at)
  // Backticks are set side by side in prose; in code nothing joins them so.
  if (kind === QUOTE)
    return walk.passed !== 0 &&
      (walk.passed & (STATEMENT | PAREN)) === 0 &&
      isName(before) &&
      unit !== BACKTICK
      ? walk.at + 1
      : undefined
  if (kind === OPERATOR) {
    if ((walk.passed & STATEMENT) !== 0) return undefined
    return skipOperator(walk) ? literalFrom(walk) : undefined
  }
  if ((walk.passed & (STATEMENT | LINE)) !== 0) return assigned(walk)
  return walk.passed === SPACE && isName(before) && isLetter(unit) ? literalFrom(walk) : undefined
}

const isOut = ({ text, at, limit }: Walk): boolean => at >= text.length || at >= limit

const outOf = ({ at, limit }: Walk): 'more' | undefined => (at >= limit ? undefined : 'more')

const skipBlanks = (walk: Walk): void => {
  const { text } = walk
  for (; !isOut(walk) && kindAt(text, walk.at) === BLANK; walk.at++) {
    const unit = text.charCodeAt(walk.at)
    walk.passed |= unit === NEW_LINE ? LINE : unit === 59 ? STATEMENT : unit === 41 ? PAREN : SPACE
  }
}

/** The operators by which languages join strings: `+ . .. & || ~ <> ++ ^`, and `+=` behind a name. False when it is none. */
const skipOperator = (walk: Walk): boolean => {
  const first = walk.text.charAt(walk.at++)
  const second = walk.text.charAt(walk.at)
  if (first === '|') return walk.at++ < walk.text.length && second === '|'
  if (first === '<') return walk.at++ < walk.text.length && second === '>'
  if ((first === '+' || first === '.') && second === first) walk.at++
  return true
}

/** A literal, perhaps with letters that say of which kind: `r"`, `f'`, `u8"`. Behind its quote the text goes on. */
const literalFrom = (walk: Walk): number | 'more' | undefined => {
  const { text } = walk
  while (!isOut(walk) && (kindAt(text, walk.at) === BLANK || text.charCodeAt(walk.at) === 40)) walk.at++
  for (let letters = 0; letters < 3; letters++) {
    if (isOut(walk)) return outOf(walk)
    const unit = text.charCodeAt(walk.at++)
    if (isQuote(unit)) return walk.at
    if (!isName(unit) && unit !== 64 && unit !== DOLLAR) return undefined
  }
  return undefined
}

/** `const b = "`: a name, what stands before it, and what gives it a value. */
const assigned = (walk: Walk): number | 'more' | undefined => {
  const { text } = walk
  for (let words = 0; words < 4; words++) {
    const from = walk.at
    while (!isOut(walk) && isOfName(text.charCodeAt(walk.at))) walk.at++
    if (isOut(walk)) return outOf(walk)
    if (walk.at === from) return undefined
    while (!isOut(walk) && text.charCodeAt(walk.at) === 32) walk.at++
    if (isOut(walk)) return outOf(walk)
    const unit = text.charCodeAt(walk.at)
    if (unit === EQUALS || unit === 43 || unit === 46 || unit === 58) return valueFrom(walk)
  }
  return undefined
}

const isOfName = (unit: number): boolean => isName(unit) || unit === DOLLAR || unit === 64

const valueFrom = (walk: Walk): number | 'more' | undefined => {
  const { text } = walk
  if (text.charCodeAt(walk.at) !== EQUALS) walk.at++
  if (isOut(walk)) return outOf(walk)
  if (text.charCodeAt(walk.at) !== EQUALS) return undefined
  walk.at++
  return literalFrom(walk)
}
