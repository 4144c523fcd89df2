import { type Charset, charset, complement } from './charset.ts'

/** A parsed pattern. `max` of a repeat is Infinity when open-ended. */
export type Pattern =
  | { readonly kind: 'set'; readonly set: Charset }
  | { readonly kind: 'sequence'; readonly items: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly item: Pattern; readonly min: number; readonly max: number }

export interface PatternOptions {
  readonly ignoreCase: boolean
}

/** The most repetitions that a pattern may name; what is longer is written open-ended. */
const MOST_REPEATS = 1024
const DIGIT = charset([[48, 57]])
const WORD = charset([...DIGIT, [65, 90], [95, 95], [97, 122]])
const SPACE = charset([
  [9, 13],
  [32, 32],
])
const NAMED: Readonly<Record<string, Charset>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: complement(DIGIT),
  W: complement(WORD),
  S: complement(SPACE),
  n: [[10, 10]],
  r: [[13, 13]],
  t: [[9, 9]],
}

/** What the parser is reading. `at` moves; a pattern is trusted and short, so recursion is safe. */
interface Reading {
  readonly pattern: string
  readonly ignoreCase: boolean
  at: number
}

/** Throws SyntaxError, with the place, for anything outside the language of core/rule.ts. */
export const parsePattern = (pattern: string, { ignoreCase }: PatternOptions): Pattern => {
  const reading: Reading = { pattern, ignoreCase, at: 0 }
  const parsed = choice(reading)
  if (reading.at < pattern.length) throw wrong(reading, 'unexpected )')
  return parsed
}

/** All sets of a pattern. */
export const charsetsOf = (pattern: Pattern): readonly Charset[] => {
  switch (pattern.kind) {
    case 'set':
      return [pattern.set]
    case 'repeat':
      return charsetsOf(pattern.item)
    case 'sequence':
      return pattern.items.flatMap(charsetsOf)
    case 'choice':
      return pattern.options.flatMap(charsetsOf)
  }
}

const wrong = ({ pattern, at }: Reading, what: string): SyntaxError =>
  new SyntaxError(`pattern ${pattern}: ${what} at ${at}`)

const peek = (reading: Reading): string => reading.pattern.charAt(reading.at)

const took = (reading: Reading, text: string): boolean => {
  if (!reading.pattern.startsWith(text, reading.at)) return false
  reading.at += text.length
  return true
}

const choice = (reading: Reading): Pattern => {
  const options = [sequence(reading)]
  while (took(reading, '|')) options.push(sequence(reading))
  return options.length === 1 ? (options[0] as Pattern) : { kind: 'choice', options }
}

const sequence = (reading: Reading): Pattern => {
  const items: Pattern[] = []
  while (reading.at < reading.pattern.length && peek(reading) !== '|' && peek(reading) !== ')')
    items.push(quantified(reading, atom(reading)))
  return { kind: 'sequence', items }
}

const atom = (reading: Reading): Pattern => {
  if (took(reading, '(?:')) {
    const inner = choice(reading)
    if (!took(reading, ')')) throw wrong(reading, 'missing )')
    return inner
  }
  if (took(reading, '[')) return { kind: 'set', set: characterClass(reading) }
  const char = peek(reading)
  if ('(^$.?*+{}]'.includes(char)) throw wrong(reading, `unsupported ${char}`)
  return { kind: 'set', set: cased(reading, one(reading)) }
}

/** One literal character or escape. */
const one = (reading: Reading): Charset => {
  const char = peek(reading)
  if (char === '') throw wrong(reading, 'unexpected end')
  reading.at++
  if (char !== '\\') return [[char.charCodeAt(0), char.charCodeAt(0)]]
  const escaped = peek(reading)
  if (escaped === '') throw wrong(reading, 'unexpected end')
  reading.at++
  if (escaped === 'u' || escaped === 'x') return hexEscape(reading, escaped === 'u' ? 4 : 2)
  const named = NAMED[escaped]
  if (named !== undefined) return named
  if (/[A-Za-z0-9]/.test(escaped)) throw wrong(reading, `unsupported \\${escaped}`)
  return [[escaped.charCodeAt(0), escaped.charCodeAt(0)]]
}

const hexEscape = (reading: Reading, digits: number): Charset => {
  const hex = reading.pattern.slice(reading.at, reading.at + digits)
  if (hex.length < digits || !/^[0-9A-Fa-f]+$/.test(hex)) throw wrong(reading, 'bad hexadecimal escape')
  reading.at += digits
  return [[Number.parseInt(hex, 16), Number.parseInt(hex, 16)]]
}

const characterClass = (reading: Reading): Charset => {
  const negated = took(reading, '^')
  const ranges: (readonly [number, number])[] = []
  while (!took(reading, ']')) {
    const low = one(reading)
    const ranged = peek(reading) === '-' && reading.pattern.charAt(reading.at + 1) !== ']'
    if (!ranged) ranges.push(...low)
    else ranges.push(range(reading, low))
  }
  const set = cased(reading, charset(ranges))
  if (set.length === 0) throw wrong(reading, 'empty class')
  return negated ? complement(set) : set
}

const range = (reading: Reading, low: Charset): readonly [number, number] => {
  reading.at++
  const high = one(reading)
  const from = low[0]?.[0] ?? 0
  const to = high[0]?.[1] ?? 0
  const single = low.length === 1 && high.length === 1 && low[0]?.[1] === from && high[0]?.[0] === to
  if (!single || from > to) throw wrong(reading, 'bad range')
  return [from, to]
}

const cased = (reading: Reading, set: Charset): Charset => {
  if (!reading.ignoreCase) return charset(set)
  const both: (readonly [number, number])[] = [...set]
  for (const [from, to] of set) {
    if (from <= 90 && to >= 65) both.push([Math.max(from, 65) + 32, Math.min(to, 90) + 32])
    if (from <= 122 && to >= 97) both.push([Math.max(from, 97) - 32, Math.min(to, 122) - 32])
  }
  return charset(both)
}

const quantified = (reading: Reading, item: Pattern): Pattern => {
  if (took(reading, '?')) return { kind: 'repeat', item, min: 0, max: 1 }
  if (took(reading, '*')) return { kind: 'repeat', item, min: 0, max: Infinity }
  if (took(reading, '+')) return { kind: 'repeat', item, min: 1, max: Infinity }
  if (!took(reading, '{')) return item
  const end = reading.pattern.indexOf('}', reading.at)
  const [min, max] = counts(reading, reading.pattern.slice(reading.at, Math.max(end, reading.at)))
  reading.at = end + 1
  return { kind: 'repeat', item, min, max }
}

const counts = (reading: Reading, written: string): readonly [number, number] => {
  if (!/^\d{1,4}(?:,\d{0,4})?$/.test(written)) throw wrong(reading, 'bad quantifier')
  const [low = '', high] = written.split(',')
  const min = Number(low)
  const max = high === undefined ? min : high === '' ? Infinity : Number(high)
  if (min > max || max === 0 || min > MOST_REPEATS || (max !== Infinity && max > MOST_REPEATS))
    throw wrong(reading, 'bad quantifier')
  return [min, max]
}
