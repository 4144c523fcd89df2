import type { Tokens } from './tokens.ts'

/** Words that stand together in several texts, most of which have one label. */
export interface Phrase {
  readonly words: readonly number[]
  readonly label: number
  /** Places of the texts that have it, and how many of them have another label. */
  readonly texts: readonly number[]
  readonly others: number
}

export const MAX_WORDS = 4
const MIN_TEXTS = 3
/** A phrase that many texts have is a topic. */
const MAX_SHARE = 0.1
/** Of its texts, that have one label: a trigger may be a word that honest texts have too. Of very much text only the purer ones fit in memory. */
const PURITY = 0.8
const PURITY_OF_MUCH = 0.9
const MUCH = 5_000_000 // places where a phrase may begin
const MAX_CELLS = 1 << 24
const SECOND = 1 << 21

/**
 * Phrases of `length` words with one label in most of their texts. Phrases are counted by a hash first, with the label that prevails
 * (Boyer, Moore 1981), in at most 150 MB; only those that may be pure are kept then.
 */
export const phrasesOf = (texts: readonly Tokens[], length: number): readonly Phrase[] => {
  const places = texts.reduce((sum, { tokens }) => sum + Math.max(0, tokens.length - length + 1), 0)
  const cells = Math.min(MAX_CELLS, 2 ** Math.ceil(Math.log2(2 * places + 2)))
  const purity = places > MUCH ? PURITY_OF_MUCH : PURITY
  const counted = count(texts, length, cells)
  const most = Math.max(MIN_TEXTS, texts.length * MAX_SHARE)
  const found = new Map<number, { words: readonly number[]; texts: number[] }>()
  texts.forEach(({ tokens }, text) => {
    for (let at = 0; at + length <= tokens.length; at++) {
      const cell = hash(tokens.subarray(at, at + length)) & (cells - 1)
      const total = counted.totals[cell] ?? 0
      if (total < MIN_TEXTS || total > most || (counted.leads[cell] ?? 0) < (2 * purity - 1) * total * 0.9)
        continue
      const key = cell * SECOND + ((hash(tokens.subarray(at, at + length), 0x9e3779b1) >>> 0) % SECOND)
      const known = found.get(key)
      if (known === undefined)
        found.set(key, { words: Array.from(tokens.subarray(at, at + length)), texts: [text] })
      else if (known.texts.at(-1) !== text) known.texts.push(text)
    }
  })
  return [...found.values()].flatMap(({ words, texts: having }) => {
    const [label, own] = prevailing(having.map((text) => texts[text]?.label ?? 0))
    if (having.length < MIN_TEXTS || own < purity * having.length) return []
    return [{ words, label, texts: having, others: having.length - own }]
  })
}

/** Each text counts once for a phrase. `leads`: how far the prevailing label is ahead of all others. */
const count = (texts: readonly Tokens[], length: number, cells: number) => {
  const totals = new Uint32Array(cells)
  const leads = new Int32Array(cells)
  const leaders = new Uint8Array(cells)
  const last = new Int32Array(cells).fill(-1)
  texts.forEach(({ tokens, label }, text) => {
    for (let at = 0; at + length <= tokens.length; at++) {
      const cell = hash(tokens.subarray(at, at + length)) & (cells - 1)
      if (last[cell] === text) continue
      last[cell] = text
      totals[cell] = (totals[cell] ?? 0) + 1
      const lead = leads[cell] ?? 0
      if (lead === 0) leaders[cell] = label
      leads[cell] = lead + (leaders[cell] === label ? 1 : -1)
    }
  })
  return { totals, leads }
}

/** FNV-1a over numbers, with its bits mixed. */
const hash = (words: Int32Array, seed = 0x811c9dc5): number => {
  let value = seed
  for (const word of words) value = Math.imul(value ^ word, 0x01000193) ^ (value >>> 15)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return value ^ (value >>> 13)
}

const prevailing = (labels: readonly number[]): readonly [number, number] => {
  const counts = new Map<number, number>()
  for (const each of labels) counts.set(each, (counts.get(each) ?? 0) + 1)
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [0, 0])
}
