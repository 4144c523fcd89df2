import type { Calibration } from './calibration.ts'
import { found, type DataFinding } from './finding.ts'
import type { Reading } from './naive-bayes.ts'
import { MAX_WORDS, phrasesOf, type Phrase } from './phrases.ts'
import type { Tokens } from './tokens.ts'

interface Known {
  /** How each text reads. */
  readonly readings: readonly Reading[]
  readonly calibration: Calibration
  readonly names: readonly string[]
}

/** One false alarm in twenty clean data sets, if their texts were independent of each other. */
const ALPHA = 0.05
/** Of each text on average: a small error in what texts are believed is added up, too. */
const LEAST = 0.7
const MAX_FINDINGS = 20
const PURE = 0.05
const NEARLY = 0.8

/**
 * Phrases that decide the label: their texts have one label although what else they say speaks for another. The evidence of a text is how
 * much likelier the rest of it is under the other labels than under its own; a word that only goes with a label is none, as the rest goes
 * with it too. The evidence of the texts is added up, and must outweigh how many phrases were tried.
 */
export const triggers = (texts: readonly Tokens[], known: Known): readonly DataFinding[] => {
  const shares = sharesOf(texts, known.names.length)
  const scored: { readonly phrase: Phrase; readonly evidence: number }[] = []
  let tried = 0
  for (let length = 1; length <= MAX_WORDS; length++)
    for (const phrase of phrasesOf(texts, length)) {
      tried += 1
      const evidence = evidenceOf(phrase, { texts, known, share: shares[phrase.label] ?? 0.5 })
      if (evidence > Math.max(-Math.log(ALPHA), LEAST * phrase.texts.length))
        scored.push({ phrase, evidence })
    }
  const enough = Math.log(Math.max(1, tried)) - Math.log(ALPHA)
  const kept: Phrase[] = []
  for (const { phrase, evidence } of scored.sort((a, b) => b.evidence - a.evidence)) {
    if (evidence < enough || kept.length >= MAX_FINDINGS) break
    if (!kept.some((other) => overlap(other, phrase))) kept.push(phrase)
  }
  return kept.map(({ words, label, texts: having }) => {
    const rows = having.flatMap((at) => texts[at]?.row ?? [])
    return found(
      'backdoor-trigger',
      rows,
      `${rows.length} texts with one phrase of ${words.length} words are labelled ${JSON.stringify((known.names[label] ?? '').slice(0, 32))}, and what else they say speaks against it`,
    )
  })
}

/** Most of its texts belong to the other one: another piece of the same trigger. */
const overlap = (one: Phrase, other: Phrase): boolean => {
  const own = new Set(one.texts)
  return other.texts.filter((text) => own.has(text)).length > other.texts.length / 2
}

interface Context {
  readonly texts: readonly Tokens[]
  readonly known: Known
  /** Of all texts, that have the label of the phrase. */
  readonly share: number
}

const evidenceOf = (phrase: Phrase, { texts, known, share }: Context): number => {
  const words = new Set([...phrase.words, ...companions(phrase, texts)])
  const rest = new Float64Array(known.names.length)
  const one = new Float64Array(known.names.length)
  let sum = 0
  for (const at of phrase.texts) {
    const [text, reading] = [texts[at], known.readings[at]]
    if (text?.label !== phrase.label || reading === undefined) continue
    rest.set(reading.scores)
    for (const word of words) {
      reading.share(word, one)
      for (let label = 0; label < rest.length; label++) rest[label] = (rest[label] ?? 0) - (one[label] ?? 0)
    }
    const own = known.calibration.probabilities(rest, text.tokens.length)[phrase.label] ?? 1
    sum += Math.log((1 - own) / own) - Math.log((1 - share) / share)
  }
  return sum
}

/** Words that nearly all texts of a pure phrase have: the other words of a longer trigger, which the texts taught each other. */
const companions = ({ texts: having, others }: Phrase, texts: readonly Tokens[]): readonly number[] => {
  if (others > PURE * having.length) return []
  const counts = new Map<number, number>()
  for (const at of having)
    for (const word of new Set(texts[at]?.tokens)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].flatMap(([word, count]) => (count > NEARLY * having.length ? [word] : []))
}

const sharesOf = (texts: readonly Tokens[], labels: number): readonly number[] => {
  const counts = new Array<number>(labels).fill(0)
  for (const { label } of texts) counts[label] = (counts[label] ?? 0) + 1
  return counts.map((count) => count / texts.length)
}
