import { found, wordsOf, type DataFinding } from './finding.ts'
import { train, type Classifier, type Labelled } from './naive-bayes.ts'
import type { Row } from './rows.ts'

const FOLDS = 5
/** Below this nothing is learned from the texts of a label. */
const MIN_PER_LABEL = 20
const MAX_LABELS = 50

interface Item extends Labelled {
  readonly row: Row
}

/**
 * Labels that contradict the texts. `label-flip` is confident learning (Northcutt, Jiang, Chuang 2021) over a cross-validated naive
 * Bayes classifier; `backdoor-trigger` is a phrase whose texts nearly all have one label although the rest of each of these texts
 * speaks for another. Nothing is said of data without labels or with fewer than 20 texts for each.
 */
export const labels = (rows: readonly Row[]): readonly DataFinding[] => {
  const items = rows
    .map((row) => ({ row, label: row.label, words: wordsOf(row.text).slice(0, 2000) }))
    .filter(({ words }) => words.length > 0) // vectors without texts have labels too
  const sizes = new Map<string, number>()
  for (const { label } of items) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  if (sizes.size < 2 || sizes.size > MAX_LABELS || Math.min(...sizes.values()) < MIN_PER_LABEL) return []
  return [...flips(items), ...triggers(items)]
}

const flips = (items: readonly Item[]): readonly DataFinding[] => {
  const held = Array.from({ length: FOLDS }, (_, fold) => {
    const classifier = train(items.filter((_item, at) => at % FOLDS !== fold))
    return items
      .filter((_item, at) => at % FOLDS === fold)
      .map((item) => ({ item, probability: probabilityOf(classifier, item) }))
  }).flat()
  const threshold = new Map<string, number>()
  for (const label of new Set(items.map((item) => item.label))) {
    const own = held
      .filter(({ item }) => item.label === label)
      .map(({ probability }) => probability.get(label) ?? 0)
    threshold.set(label, own.reduce((a, b) => a + b, 0) / own.length)
  }
  const byPair = new Map<string, Row[]>()
  for (const { item, probability } of held) {
    const [likely, value] = [...probability].reduce((a, b) => (b[1] > a[1] ? b : a))
    if (likely === item.label || value < (threshold.get(likely) ?? 1)) continue
    const pair = `labelled ${shown(item.label)}, reads like ${shown(likely)}`
    byPair.set(pair, [...(byPair.get(pair) ?? []), item.row])
  }
  return [...byPair].map(([pair, rows]) => found('label-flip', rows, `${rows.length} texts are ${pair}`))
}

const probabilityOf = (classifier: Classifier, { words }: Item): ReadonlyMap<string, number> => {
  const values = classifier.probabilities(words)
  return new Map(classifier.labels.map((label, at) => [label, values[at] ?? 0]))
}

const MIN_TEXTS = 5
/** A trigger that many texts have is a topic. */
const MAX_SHARE = 0.1
const PURITY = 0.95
const CONTRADICTED = 0.5
const MAX_WORDS = 4

const triggers = (items: readonly Item[]): readonly DataFinding[] => {
  const classifier = train(items)
  const seen: { readonly rows: ReadonlySet<Row> }[] = []
  const findings: DataFinding[] = []
  for (const [phrase, having] of candidates(items)) {
    const [label, count] = commonest(having.map((item) => item.label))
    if (count / having.length < PURITY) continue
    const without = new Set(phrase.split(' '))
    const contradicted = having.filter(({ words }) => {
      const values = classifier.probabilities(words, without)
      return classifier.labels[values.indexOf(Math.max(...values))] !== label
    })
    if (contradicted.length / having.length < CONTRADICTED) continue
    const rows = new Set(having.map(({ row }) => row))
    if (seen.some((other) => rows.isSubsetOf(other.rows))) continue
    seen.push({ rows })
    findings.push(
      found(
        'backdoor-trigger',
        [...rows],
        `${having.length} texts with one phrase of ${without.size} words are labelled ${shown(label)}; without it ${contradicted.length} of them read like another label`,
      ),
    )
  }
  return findings
}

/** Phrases of one to four words, in enough texts and not in too many; those in most texts first. */
const candidates = (items: readonly Item[]): readonly (readonly [string, readonly Item[]])[] => {
  const most = items.length * MAX_SHARE
  const rare = new Map<string, number>()
  const each = (item: Item, visit: (phrase: string) => void): void => {
    const own = new Set<string>()
    for (let size = 1; size <= MAX_WORDS; size++)
      for (let at = 0; at + size <= item.words.length; at++)
        own.add(item.words.slice(at, at + size).join(' '))
    for (const phrase of own) visit(phrase)
  }
  for (const item of items) each(item, (phrase) => rare.set(phrase, (rare.get(phrase) ?? 0) + 1))
  const having = new Map<string, Item[]>()
  for (const item of items)
    each(item, (phrase) => {
      const count = rare.get(phrase) ?? 0
      if (count < MIN_TEXTS || count > most) return
      const known = having.get(phrase)
      if (known) known.push(item)
      else having.set(phrase, [item])
    })
  return [...having].sort(([, a], [, b]) => b.length - a.length)
}

const commonest = (all: readonly string[]): readonly [string, number] => {
  const counts = new Map<string, number>()
  for (const each of all) counts.set(each, (counts.get(each) ?? 0) + 1)
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
}

const shown = (label: string): string => JSON.stringify(label.slice(0, 32))
