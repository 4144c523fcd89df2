import type { Rule } from '../core/rule.ts'
import { extractionRules } from './injection-extraction.ts'
import { overrideRules } from './injection-override.ts'

const folded = { view: 'folded' } as const

/** Verbs, what stands before instructions, and instructions: the few words that most attacks consist of. */
const VERBS = ['ignore', 'disregard', 'forget', 'override', 'bypass']
const BEFORE = ['previous', 'prior', 'above', 'earlier', 'preceding', 'your', 'system', 'safety']
const TOLD = ['instructions', 'instruction', 'rules', 'prompt', 'prompts', 'guidelines', 'directives']
const SHOW = ['reveal', 'print', 'show', 'repeat', 'output', 'display']
const SECRET = ['system prompt', 'initial prompt', 'hidden prompt', 'your instructions', 'your prompt']

const any = (words: readonly string[], write: (word: string) => string): string =>
  `(?:${words.map(write).join('|')})`

/** A pattern whose words are written in ROT13; classes such as `[a-z]` stay as they are. */
const rot13 = (pattern: string): string =>
  pattern.replaceAll(/\\.|\[[^\]]*\]|[a-z]/g, (part) =>
    part.length > 1 ? part : String.fromCharCode(((part.charCodeAt(0) - 97 + 13) % 26) + 97),
  )

const backwards = (word: string): string => Array.from(word).reverse().join('')

const spaced = (word: string): string => Array.from(word.replaceAll(' ', '')).join(' ')

/** With a digit for any letter that a digit looks like. */
const LOOKS: Readonly<Record<string, string>> = { a: '4', e: '3', i: '1', o: '0', s: '5', t: '7' }
const leet = (word: string): string =>
  Array.from(word, (letter) => (letter in LOOKS ? `[${letter}${LOOKS[letter]}]` : letter)).join('')

/** A word with one gap in it. */
const parted = (word: string): string =>
  Array.from({ length: word.length - 1 }, (_, at) => `${word.slice(0, at + 1)} ${word.slice(at + 1)}`).join(
    '|',
  )

const hasDigitInWord = (found: string): boolean => /[A-Za-z][013457]|[013457][A-Za-z]/.test(found)

/** The commonest phrases in writings that models read as easily as plain ones. */
export const disguisedRules = {
  'rot13-override': {
    ...folded,
    pattern: rot13(overrideRules['override-instructions'].pattern),
    score: 0.95,
  },
  'rot13-override-given': {
    ...folded,
    pattern: rot13(overrideRules['override-given-instructions'].pattern),
    score: 0.9,
  },
  'rot13-override-own': {
    ...folded,
    pattern: rot13(overrideRules['override-own-instructions'].pattern),
    score: 0.9,
  },
  'rot13-reveal-prompt': {
    ...folded,
    pattern: rot13(extractionRules['reveal-system-prompt'].pattern),
    score: 0.85,
  },
  'backwards-override': {
    ...folded,
    pattern: `${any(TOLD, backwards)} (?:[a-z]{2,12} ){0,3}${any(BEFORE, backwards)} (?:[a-z]{2,12} ){0,4}${any(VERBS, backwards)}`,
    score: 0.95,
  },
  'backwards-reveal-prompt': {
    ...folded,
    pattern: `${any(SECRET, backwards)} (?:[a-z]{2,12} ){0,4}${any(SHOW, backwards)}`,
    score: 0.85,
  },
  'words-backwards-override': {
    ...folded,
    pattern: `${any(VERBS, backwards)} (?:[a-z]{2,12} ){0,4}${any(BEFORE, backwards)} (?:[a-z]{2,12} ){0,3}${any(TOLD, backwards)}`,
    score: 0.95,
  },
  'spaced-override': {
    ...folded,
    pattern: `${any(VERBS, spaced)} (?:[a-z] ){0,}${any(BEFORE, spaced)} (?:[a-z] ){0,}${any(TOLD, spaced)}`,
    score: 0.95,
  },
  'spaced-reveal-prompt': {
    ...folded,
    pattern: `${any(SHOW, spaced)} (?:[a-z] ){0,}${any(SECRET, spaced)}`,
    score: 0.85,
  },
  'leet-override': {
    ...folded,
    pattern: `${any(VERBS, leet)} (?:[a-z0-9]{1,12} ){0,4}${any(BEFORE, leet)} (?:[a-z0-9]{2,12} ){0,3}${any(TOLD, leet)}`,
    check: hasDigitInWord,
    score: 0.9,
  },
  'leet-reveal-prompt': {
    ...folded,
    pattern: `${any(SHOW, leet)} (?:[a-z0-9]{1,12} ){0,4}${any(SECRET, leet)}`,
    check: hasDigitInWord,
    score: 0.85,
  },
  'parted-override': {
    ...folded,
    pattern: `${any(['ignore', 'disregard', 'forget', 'override'], parted)} (?:[a-z]{1,12} ){0,6}${any(TOLD, (word) => `${word}|${parted(word)}`)}`,
    score: 0.85,
  },
} as const satisfies Record<string, Rule>
