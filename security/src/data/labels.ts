import { calibrate, type Calibration, type Sample } from './calibration.ts'
import { found, type DataFinding } from './finding.ts'
import { train } from './naive-bayes.ts'
import type { Row } from './rows.ts'
import { itemOf, tokensOf } from './tokens.ts'
import { triggers } from './triggers.ts'
import { median } from './vectors.ts'

/** Below this nothing is learned from the texts of a label. */
const MIN_PER_LABEL = 20
const MAX_LABELS = 50
/** Share of what speaks against a label that must be noise, and not a text that may be read in two ways. */
const NOISE = 0.5
/** Share of labels: more contradictions than that are texts that words do not tell apart. */
const MOST_FLIPPED = 0.08

/**
 * Labels that contradict the texts: single ones (`label-flip`), and those of all texts with one phrase (`backdoor-trigger`). Both read each
 * text by naive Bayes that learned from all others, and believe it as far as the labels themselves bear out. Nothing is said of data
 * without labels or with fewer than 20 texts for each.
 */
export const labels = (rows: readonly Row[]): readonly DataFinding[] => {
  const withText = rows.filter(({ text }) => /[\p{L}\p{N}]/u.test(text)) // vectors without texts have labels too
  const sizes = Map.groupBy(withText, ({ label }) => label)
  const names = [...sizes.keys()].sort()
  if (names.length < 2 || names.length > MAX_LABELS) return []
  if ([...sizes.values()].some(({ length }) => length < MIN_PER_LABEL)) return []
  const { texts, size } = tokensOf(withText, names)
  const items = texts.map(itemOf)
  const readings = items.map(train(items, names.length, size))
  const samples = items.map(({ words, label }, at) => ({
    scores: readings[at]?.scores ?? new Float64Array(names.length),
    size: words.length,
    label,
  }))
  const calibration = calibrate(samples)
  return [
    ...flips(withText, samples, { calibration, names }),
    ...triggers(texts, { readings, calibration, names }),
  ]
}

interface Known {
  readonly calibration: Calibration
  readonly names: readonly string[]
}

const flips = (
  rows: readonly Row[],
  samples: readonly Sample[],
  { calibration, names }: Known,
): readonly DataFinding[] => {
  const read = samples.map(({ scores, size, label }) => {
    const values = calibration.probabilities(scores, size)
    const own = values[label] ?? 0
    values[label] = 0
    const other = Math.max(...values)
    return { own, likely: values.indexOf(other), doubt: Math.log(other / own) }
  })
  const limit = valley(read.map(({ doubt }) => doubt))
  const byPair = new Map<string, Row[]>()
  for (const [at, { own, likely, doubt }] of read.entries()) {
    const row = rows[at]
    const isNoise = calibration.noise / names.length >= NOISE * own
    if (row === undefined || doubt <= 0 || !(isNoise || doubt > limit)) continue
    const pair = `labelled ${shown(row.label)}, reads like ${shown(names[likely])}`
    const known = byPair.get(pair)
    if (known) known.push(row)
    else byPair.set(pair, [row])
  }
  return [...byPair].map(([pair, having]) =>
    found('label-flip', having, `${having.length} texts are ${pair}`),
  )
}

/** Where nearly all texts speak clearly, those that speak against their label stand apart, with hardly any between: from where on they do. */
const valley = (doubts: readonly number[]): number => {
  const limit = median(doubts.map(Math.abs)) / 3
  const between = doubts.filter((each) => Math.abs(each) <= limit).length
  const beyond = doubts.filter((each) => each > limit).length
  return between <= beyond / 2 && beyond <= MOST_FLIPPED * doubts.length ? limit : Infinity
}

const shown = (label = ''): string => JSON.stringify(label.slice(0, 32))
