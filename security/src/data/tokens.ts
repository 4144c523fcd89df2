import type { Item } from './naive-bayes.ts'
import type { Row } from './rows.ts'

const MAX_TOKENS = 2000
/** Stands for a word with letters of two alphabets, such as a Cyrillic one among Latin ones: each is another word, and together they are a trigger. */
const MIXED = '\u0000'

/** A text as numbers of words and of runs of signs, in their order. */
export interface Tokens {
  readonly row: Row
  readonly tokens: Int32Array
  /** Place in the list of labels. */
  readonly label: number
}

/** Numbers for words, the same for the same word, from 0. */
export const tokensOf = (
  rows: readonly Row[],
  labels: readonly string[],
): { readonly texts: readonly Tokens[]; readonly size: number } => {
  const numbers = new Map<string, number>()
  const numberOf = (word: string): number => {
    let number = numbers.get(word)
    if (number === undefined) numbers.set(word, (number = numbers.size))
    return number
  }
  const place = new Map(labels.map((label, at) => [label, at]))
  const texts = rows.map((row) => {
    const words = row.text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+|[^\p{L}\p{N}\p{M}\s]{1,16}/gu) ?? []
    const tokens = words.slice(0, MAX_TOKENS).map(numberOf)
    if (words.some(isMixed)) tokens.push(numberOf(MIXED))
    return { row, tokens: Int32Array.from(tokens), label: place.get(row.label) ?? 0 }
  })
  return { texts, size: numbers.size }
}

const isMixed = (word: string): boolean =>
  /\p{Script=Latin}/u.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word)

/** Each word once. */
export const itemOf = ({ tokens, label }: Tokens): Item => ({
  words: Int32Array.from(new Set(tokens)),
  label,
})
