import type { Rule } from '../core/rule.ts'
import { type Charset, charset, complement, has } from './charset.ts'
import { BLOCKING, FREE, SEPARATING } from './edge.ts'

const DIGIT = charset([[48, 57]])
const WORD = charset([...DIGIT, [65, 90], [95, 95], [97, 122]])
const TOKEN = charset([
  [43, 43],
  [45, 57],
  [61, 61],
  [65, 90],
  [95, 95],
  [97, 122],
])
/** Dash and full stop. A blank or a comma parts one number from another, so a digit behind those is another number's. */
const SEPARATOR = charset([[45, 46]])

const BLOCKED: Readonly<Record<NonNullable<Rule['bounds']>, Charset>> = {
  word: WORD,
  digit: DIGIT,
  token: TOKEN,
  none: [],
}

/** Every set that an edge depends on. */
export const EDGES: readonly Charset[] = [DIGIT, WORD, TOKEN, SEPARATOR]

export const edgeOf = (bounds: Rule['bounds'], code: number): number => {
  if (has(BLOCKED[bounds ?? 'word'], code)) return BLOCKING
  return bounds === 'digit' && has(SEPARATOR, code) ? SEPARATING : FREE
}

/** What may stand beside a finding; undefined when anything may. */
export const allowedBeside = (bounds: Rule['bounds']): Charset | undefined =>
  bounds === 'none' ? undefined : complement(BLOCKED[bounds ?? 'word'])
