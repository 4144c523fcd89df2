/** How far scores can be believed. */
export interface Calibration {
  /** Share of labels that no score explains. */
  readonly noise: number
  /** Probabilities of the labels, none below `noise` divided by their number. `size` is how many words made the scores. */
  readonly probabilities: (scores: Float64Array, size: number) => Float64Array
}

export interface Sample {
  readonly scores: Float64Array
  readonly size: number
  readonly label: number
}

const MAX_SAMPLES = 5000
const TEMPERATURES = Array.from({ length: 16 }, (_, i) => 0.5 * 1.35 ** i)
/** The scores of longer texts are believed less for each word: words of a text repeat each other. */
const POWERS = [0, 0.5]
const NOISES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]

/**
 * Naive Bayes is far too sure of itself. Temperature scaling (Guo and others 2017) with a share of labels that are noise: of a few values
 * for each, those under which the labels that are there are likeliest.
 */
export const calibrate = (samples: readonly Sample[]): Calibration => {
  const labels = samples[0]?.scores.length ?? 1
  const step = Math.ceil(samples.length / MAX_SAMPLES)
  const some = samples.filter((_, at) => at % step === 0)
  let best = { likelihood: -Infinity, temperature: 1, power: 0, noise: 0.01 }
  for (const power of POWERS)
    for (const temperature of TEMPERATURES) {
      const own = some.map(
        ({ scores, size, label }) => softmax(scores, temperature * size ** power)[label] ?? 0,
      )
      for (const noise of NOISES) {
        const likelihood = own.reduce((sum, each) => sum + Math.log((1 - noise) * each + noise / labels), 0)
        if (likelihood > best.likelihood) best = { likelihood, temperature, power, noise }
      }
    }
  const { temperature, power, noise } = best
  return {
    noise,
    probabilities: (scores, size) =>
      softmax(scores, temperature * size ** power).map((each) => (1 - noise) * each + noise / labels),
  }
}

const softmax = (scores: Float64Array, temperature: number): Float64Array => {
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity)
  const powers = scores.map((each) => Math.exp((each - most) / temperature))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((each) => each / sum)
}
