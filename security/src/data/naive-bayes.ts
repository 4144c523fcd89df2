/** Multinomial naive Bayes with Laplace smoothing (Manning, Raghavan, Schütze, "Introduction to Information Retrieval", 13.2). */
export interface Classifier {
  readonly labels: readonly string[]
  /** Probability of each label, in the order of `labels`, for the words; those in `without` do not count. */
  probabilities(words: readonly string[], without?: ReadonlySet<string>): readonly number[]
}

export interface Labelled {
  readonly words: readonly string[]
  readonly label: string
}

export const train = (items: readonly Labelled[]): Classifier => {
  const labels = [...new Set(items.map(({ label }) => label))].sort()
  const index = new Map(labels.map((label, at) => [label, at]))
  const counts = new Map<string, Float64Array>()
  const totals = new Float64Array(labels.length)
  const documents = new Float64Array(labels.length)
  for (const { words, label } of items) {
    const at = index.get(label) ?? 0
    documents[at] = (documents[at] ?? 0) + 1
    for (const word of new Set(words)) {
      let row = counts.get(word)
      if (row === undefined) counts.set(word, (row = new Float64Array(labels.length)))
      row[at] = (row[at] ?? 0) + 1
      totals[at] = (totals[at] ?? 0) + 1
    }
  }
  return {
    labels,
    probabilities: (words, without) => {
      const logs = labels.map((_, at) => Math.log((documents[at] ?? 0) / items.length))
      for (const word of new Set(words)) {
        const row = counts.get(word)
        if (row === undefined || without?.has(word) === true) continue
        for (let at = 0; at < logs.length; at++)
          logs[at] = (logs[at] ?? 0) + Math.log(((row[at] ?? 0) + 1) / ((totals[at] ?? 0) + counts.size))
      }
      return softmax(logs)
    },
  }
}

const softmax = (logs: readonly number[]): readonly number[] => {
  const most = Math.max(...logs)
  const powers = logs.map((each) => Math.exp(each - most))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((each) => each / sum)
}
