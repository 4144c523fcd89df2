import type { Rule } from '../core/rule.ts'
import type { RuleTable } from './drafts.ts'

/** Ways to write a whole text that would cost too much to try on every text. */
export type Cipher = 'rot13' | 'backwards' | 'leet' | 'spaced'

const WORDS =
  'the|and|you|your|all|not|this|that|from|with|will|what|have|must|now|ignore|disregard|forget|previous|instructions|instruction|prompt|system|rules|reveal|print|repeat|secret|password'.split(
    '|',
  )

const rot13 = (word: string): string =>
  word.replaceAll(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 84) % 26) + 97))
const backwards = (word: string): string => Array.from(word).reverse().join('')
const spaced = (word: string): string => Array.from(word).join(' ')

const LOOKS: Readonly<Record<string, string>> = { a: '4', e: '3', i: '1', o: '0', s: '5', t: '7' }

/** With all letters that look like digits as digits, and with the vowels only. */
const leet = (word: string): readonly string[] =>
  [/[aeiost]/g, /[aeio]/g, /[eo]/g].map((letters) =>
    word.replaceAll(letters, (letter) => LOOKS[letter] ?? letter),
  )

/** Names and words of English and other languages are no sign of anything: `won`, `live`, `dna`, `ner`. */
const ORDINARY = new Set(['dna', 'won', 'lla', 'lliw', 'ton', 'terces', 'abg', 'jung', 'abj', 'gung'])

const gate = (words: readonly string[]): Rule => ({
  pattern: [...new Set(words)].filter((word) => !WORDS.includes(word) && !ORDINARY.has(word)).join('|'),
  view: 'folded',
})

const GATES: Readonly<Record<Cipher, Rule>> = {
  rot13: gate(WORDS.map(rot13)),
  backwards: gate(WORDS.map(backwards)),
  leet: gate(WORDS.flatMap(leet)),
  spaced: gate(WORDS.map(spaced)),
}

const PREFIX = 'gate '

/** Rules that find no fault: what they find says in which cipher a text may be written. */
export const gateTable: RuleTable = {
  category: 'injection',
  rules: Object.fromEntries(Object.entries(GATES).map(([cipher, rule]) => [PREFIX + cipher, rule])),
}

/** The cipher that a finding of such a rule tells of; undefined for any other rule. */
export const cipherOf = (rule: string): Cipher | undefined =>
  rule.startsWith(PREFIX) ? (rule.slice(PREFIX.length) as Cipher) : undefined
