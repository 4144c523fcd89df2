/** A text as places in a list of words, each once. */
export interface Item {
  readonly words: Int32Array
  /** Place in the list of labels. */
  readonly label: number
}

/** Logarithms of how likely each label is for one text, which was not learned from. */
export interface Reading {
  readonly scores: Float64Array
  /** What one word adds to each score; `into` is overwritten. */
  readonly share: (word: number, into: Float64Array) => Float64Array
}

/**
 * Multinomial naive Bayes with Laplace smoothing (Manning, Raghavan, Schütze, "Introduction to Information Retrieval", 13.2), leaving out
 * the text that is read: its own counts are subtracted, which is the same as learning anew from all others. A word of one text only says
 * nothing.
 */
export const train = (items: readonly Item[], labels: number, words: number): ((item: Item) => Reading) => {
  const counts = new Int32Array(words * labels)
  const totals = new Float64Array(labels)
  const documents = new Float64Array(labels)
  for (const { words: own, label } of items) {
    documents[label] = (documents[label] ?? 0) + 1
    totals[label] = (totals[label] ?? 0) + own.length
    for (const word of own) counts[word * labels + label] = (counts[word * labels + label] ?? 0) + 1
  }
  return ({ words: own, label }) => {
    const sizes = totals.map((total, at) => Math.log(total - (at === label ? own.length : 0) + words))
    const share = (word: number, into: Float64Array): Float64Array => {
      for (let at = 0; at < labels; at++) {
        const count = (counts[word * labels + at] ?? 0) - (at === label ? 1 : 0)
        into[at] = Math.log(count + 1) - (sizes[at] ?? 0)
      }
      return into
    }
    const scores = documents.map((count, at) =>
      Math.log(Math.max(0.5, at === label ? count - 1 : count) / items.length),
    )
    const one = new Float64Array(labels)
    for (const word of own) {
      share(word, one)
      for (let at = 0; at < labels; at++) scores[at] = (scores[at] ?? 0) + (one[at] ?? 0)
    }
    return { scores, share }
  }
}
