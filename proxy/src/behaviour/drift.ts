import {
  kolmogorovSmirnov,
  populationStability,
  stabilityNoise,
  type KolmogorovSmirnov,
} from './drift-tests.ts'
import { features, type Feature, type Numeric, type Pane, type Words } from './pane.ts'

export interface Drift {
  readonly feature: Feature
  readonly psi: number
  /** What PSI stays below by chance with probability 0.999. */
  readonly noise: number
  /** Of lengths and entropies only. */
  readonly ks?: KolmogorovSmirnov
  /** Exchanges or answers in the baseline and now. */
  readonly samples: readonly [number, number]
  /** `shifted`: PSI above 0.25 and above chance. `moderate`: above 0.1 and above chance. */
  readonly verdict: 'stable' | 'moderate' | 'shifted'
}

const MODERATE = 0.1
const SHIFTED = 0.25
/** Fewer on either side say nothing. */
export const LEAST_SAMPLES = 50

/** Every feature that both sides have enough of. */
export const driftOf = (baseline: Pane, current: Pane): readonly Drift[] =>
  features.flatMap((feature) => {
    const [was, is] = HISTOGRAMS[feature](baseline, current)
    const samples = [sizeOf(feature, baseline), sizeOf(feature, current)] as const
    if (Math.min(...samples) < LEAST_SAMPLES) return []
    const psi = populationStability(was, is)
    const used = was.filter((count, bin) => count > 0 || (is[bin] ?? 0) > 0).length
    const noise = stabilityNoise(samples, used)
    const ks = isNumeric(feature)
      ? kolmogorovSmirnov(
          Float64Array.from(baseline.samples[feature].kept),
          Float64Array.from(current.samples[feature].kept),
        )
      : undefined
    return [{ feature, psi, noise, ...(ks && { ks }), samples, verdict: verdictOf(psi, noise) }]
  })

const verdictOf = (psi: number, noise: number): Drift['verdict'] => {
  if (psi <= noise || psi <= MODERATE) return 'stable'
  return psi > SHIFTED ? 'shifted' : 'moderate'
}

const isNumeric = (feature: Feature): feature is Numeric => feature === 'length' || feature === 'entropy'

const sizeOf = (feature: Feature, pane: Pane): number => {
  switch (feature) {
    case 'refusal':
    case 'findings':
      return pane.exchanges
    case 'entropy':
      return pane.samples.entropy.count
    case 'length':
    case 'decline':
    case 'tools':
    case 'language':
      return pane.answers
  }
}

type Pair = readonly [readonly number[], readonly number[]]

const yesNo = (yes: number, of: number): readonly number[] => [yes, of - yes]

/** Both histograms over the same bins. */
const HISTOGRAMS: Record<Feature, (baseline: Pane, current: Pane) => Pair> = {
  length: (a, b) => [a.length, b.length],
  entropy: (a, b) => [a.entropy, b.entropy],
  refusal: (a, b) => [yesNo(a.refused, a.exchanges), yesNo(b.refused, b.exchanges)],
  decline: (a, b) => [yesNo(a.declined, a.answers), yesNo(b.declined, b.answers)],
  findings: (a, b) => aligned(a.findings, b.findings),
  tools: (a, b) => aligned(a.tools, b.tools),
  language: (a, b) => aligned(a.language, b.language),
}

const aligned = (a: Words, b: Words): Pair => {
  const words = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
  return [words.map((word) => a[word] ?? 0), words.map((word) => b[word] ?? 0)]
}
