import type { Scanner } from '../core/scanner.ts'

/** Texts that a rule finds, and near ones that it does not. */
export interface Samples {
  readonly hits: readonly string[]
  readonly misses: readonly string[]
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'

/** Characters of an alphabet in a fixed but mixed order, so that samples look random and no secret scanner finds them in the source. */
const mixed = (alphabet: string, length: number): string =>
  Array.from({ length }, (_, i) => alphabet[(i * i * 7 + i * 13 + 5) % alphabet.length] ?? '').join('')

export const chars = {
  digits: (length: number): string => mixed('73951840262', length),
  hex: (length: number): string => mixed(`${DIGITS}abcdef1`, length),
  upper: (length: number): string => mixed(`${LOWER.toUpperCase()}234567891`, length),
  lower: (length: number): string => mixed(`${LOWER}234567891`, length),
  alnum: (length: number): string => mixed(`${LOWER}${DIGITS}${LOWER.toUpperCase()}k`, length),
  letters: (length: number): string => mixed(`${LOWER}${LOWER.toUpperCase()}k`, length),
  uuid: (): string => '1f3a5c7e-9b2d-4f60-8a1c-3e5d7f9b2c4a',
}

/** The rules that a scanner finds in a text, once each, in the order of their places. */
export const rulesIn = (scanner: Scanner, text: string): readonly string[] => [
  ...new Set(scanner.scan(text).map(({ rule }) => rule)),
]

export const rows = (samples: Readonly<Record<string, Samples>>): (readonly [string, Samples])[] =>
  Object.entries(samples)
