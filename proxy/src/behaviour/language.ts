import type { Language } from '../core/behaviour.ts'
import { commonWords, tellingLetters } from './language-words.ts'

/** UTF-16 units of a text that are read: the language of an answer shows in its first lines. */
export const LANGUAGE_SAMPLE = 400

/**
 * The language that a text seems to be in, from the first 400 UTF-16 units: by script, then by common words and telling
 * letters. Linear, bounded, and a guess: code, names, short and mixed texts give `und`, and close languages are taken for
 * each other. What was measured stands in proxy/docs/behaviour.md.
 */
export const languageOf = (text: string): Language => {
  const sample = text.length > LANGUAGE_SAMPLE ? text.slice(0, LANGUAGE_SAMPLE) : text
  return byScript(sample) ?? byWords(sample.toLowerCase())
}

type Script =
  | 'latin'
  | 'greek'
  | 'cyrillic'
  | 'hebrew'
  | 'arabic'
  | 'devanagari'
  | 'bengali'
  | 'tamil'
  | 'thai'
  | 'kana'
  | 'han'
  | 'hangul'

/** First and last UTF-16 unit, ascending. */
const RANGES: readonly (readonly [number, number, Script])[] = [
  [0x00c0, 0x024f, 'latin'],
  [0x0370, 0x03ff, 'greek'],
  [0x0400, 0x052f, 'cyrillic'],
  [0x0590, 0x05ff, 'hebrew'],
  [0x0600, 0x06ff, 'arabic'],
  [0x0900, 0x097f, 'devanagari'],
  [0x0980, 0x09ff, 'bengali'],
  [0x0b80, 0x0bff, 'tamil'],
  [0x0e00, 0x0e7f, 'thai'],
  [0x1e00, 0x1eff, 'latin'],
  [0x3040, 0x30ff, 'kana'],
  [0x3400, 0x9fff, 'han'],
  [0xac00, 0xd7a3, 'hangul'],
]

const scriptOf = (unit: number): Script | undefined => {
  for (const [first, last, script] of RANGES) {
    if (unit < first) return undefined
    if (unit <= last) return script
  }
  return undefined
}

/** What share of the letters a script other than Latin needs: answers in any language hold code and names in Latin letters. */
const ENOUGH = 0.25

const byScript = (sample: string): Language | undefined => {
  const counts = new Map<Script, number>()
  let letters = 0
  for (let at = 0; at < sample.length; at++) {
    const unit = sample.charCodeAt(at)
    if (unit < 0x80) {
      if (unit >= 0x41) letters += 1
      continue
    }
    const script = scriptOf(unit)
    if (script === undefined) continue
    letters += 1
    if (script !== 'latin') counts.set(script, (counts.get(script) ?? 0) + 1)
  }
  let foreign = 0
  let most: Script | undefined
  for (const [script, count] of counts) {
    foreign += count
    if (most === undefined || count > (counts.get(most) ?? 0)) most = script
  }
  if (most === undefined || foreign < ENOUGH * letters) return undefined
  // Japanese mixes kana with many Han characters; Chinese has no kana.
  if (most === 'han') return (counts.get('kana') ?? 0) * 8 > (counts.get('han') ?? 0) ? 'ja' : 'zh'
  return inScript(most, sample)
}

const inScript = (script: Exclude<Script, 'han'>, sample: string): Language | undefined => {
  switch (script) {
    case 'latin':
      return undefined
    case 'cyrillic':
      return has(sample, 'іїєґІЇЄҐ') ? 'uk' : 'ru'
    case 'arabic':
      return has(sample, 'پچژگی') ? 'fa' : 'ar'
    case 'greek':
      return 'el'
    case 'hebrew':
      return 'he'
    case 'devanagari':
      return 'hi'
    case 'bengali':
      return 'bn'
    case 'tamil':
      return 'ta'
    case 'thai':
      return 'th'
    case 'kana':
      return 'ja'
    case 'hangul':
      return 'ko'
  }
}

const has = (sample: string, letters: string): boolean => {
  for (const letter of letters) if (sample.includes(letter)) return true
  return false
}

type Latin = keyof typeof commonWords
const LATIN = Object.keys(commonWords) as readonly Latin[]

/** For each word the languages that have it, by index in LATIN. */
const WORDS: ReadonlyMap<string, readonly number[]> = (() => {
  const words = new Map<string, number[]>()
  LATIN.forEach((language, index) => {
    for (const word of new Set(commonWords[language].split(' '))) {
      const known = words.get(word)
      if (known) known.push(index)
      else words.set(word, [index])
    }
  })
  return words
})()

/** The same for telling letters, by UTF-16 unit. */
const LETTERS: ReadonlyMap<number, readonly number[]> = new Map(
  Object.entries(tellingLetters).map(([letter, languages]) => [
    letter.charCodeAt(0),
    languages.map((language) => LATIN.indexOf(language)),
  ]),
)

const LEAST_SCORE = 1.5
const LEAST_LEAD = 1.2
const LONGEST_WORD = 10

const byWords = (sample: string): Language => {
  const scores = new Float64Array(LATIN.length)
  let start = -1
  for (let at = 0; at <= sample.length; at++) {
    const unit = at < sample.length ? sample.charCodeAt(at) : 0
    const letter = (unit >= 0x61 && unit <= 0x7a) || (unit >= 0xa1 && unit < 0x2000)
    if (letter) {
      if (unit >= 0xa1) score(scores, LETTERS.get(unit))
      if (start < 0) start = at
    } else if (start >= 0) {
      if (at - start <= LONGEST_WORD) score(scores, WORDS.get(sample.slice(start, at)))
      start = -1
    }
  }
  let best = 0
  let second = 0
  let language: Language = 'und'
  for (let index = 0; index < scores.length; index++) {
    const value = scores[index] ?? 0
    if (value > best) {
      second = best
      best = value
      language = LATIN[index] ?? 'und'
    } else if (value > second) second = value
  }
  return best >= LEAST_SCORE && best >= LEAST_LEAD * second ? language : 'und'
}

const score = (scores: Float64Array, languages: readonly number[] | undefined): void => {
  if (languages === undefined) return
  // A word that many languages have says little.
  for (const index of languages) scores[index] = (scores[index] ?? 0) + 1 / languages.length
}
