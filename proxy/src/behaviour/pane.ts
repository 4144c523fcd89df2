import type { ExchangeFacts, Language } from '../core/behaviour.ts'

/** What drifts: numbers, yes or no, and words of a closed set. */
export const features = ['length', 'entropy', 'refusal', 'decline', 'findings', 'tools', 'language'] as const
export type Feature = (typeof features)[number]
export const numeric = ['length', 'entropy'] as const satisfies readonly Feature[]
export type Numeric = (typeof numeric)[number]

/** Bins of the histograms; they never change within one version of the baseline file. */
export const LENGTH_BINS = 21
export const ENTROPY_BINS = 25

/** Counts by word; words beyond the bound count as `other`. */
export type Words = Record<string, number>

/** A uniform sample of the numbers seen, with their mean and spread. */
export interface Sample {
  count: number
  mean: number
  /** Sum of squared deviations (Welford). */
  squares: number
  readonly kept: number[]
}

/** What was seen of one model and tenant: histograms, and samples of bounded size. A few kilobytes, however much was seen. */
export interface Pane {
  exchanges: number
  answers: number
  refused: number
  declined: number
  readonly length: number[]
  readonly entropy: number[]
  readonly findings: Words
  readonly tools: Words
  readonly language: Words
  readonly samples: Record<Numeric, Sample>
}

/**
 * Numbers kept of each sample. By the inequality of Dvoretzky, Kiefer, Wolfowitz and Massart the distribution function of 256
 * numbers is within 0.085 of the true one with probability 0.95.
 */
export const SAMPLE_SIZE = 256

/** Different words in one histogram. */
export const MOST_WORDS = 128

export const emptyPane = (): Pane => ({
  exchanges: 0,
  answers: 0,
  refused: 0,
  declined: 0,
  length: new Array<number>(LENGTH_BINS).fill(0),
  entropy: new Array<number>(ENTROPY_BINS).fill(0),
  findings: emptyWords(),
  tools: emptyWords(),
  language: emptyWords(),
  samples: { length: emptySample(), entropy: emptySample() },
})

/** Without a prototype: a rule or a tool may be called `constructor`. */
export const emptyWords = (): Words => Object.create(null) as Words

const emptySample = (): Sample => ({ count: 0, mean: 0, squares: 0, kept: [] })

/** The numbers of one exchange, worked out once for every pane that takes them. */
export interface Observation {
  readonly refused: boolean
  readonly declined: boolean
  /** log2 of 1 + characters; undefined without an answer. */
  readonly length: number | undefined
  readonly entropy: number | undefined
  readonly findings: readonly string[]
  /** Names that are labels already. */
  readonly tools: readonly string[]
  readonly language: Language
}

export const observationOf = (facts: ExchangeFacts, toolName: (name: string) => string): Observation => {
  const { outcome, answer, rules } = facts
  return {
    refused: outcome === 'refused' || outcome === 'cut',
    declined: answer?.declined ?? false,
    length: answer === undefined ? undefined : Math.log2(1 + within(answer.characters, MOST_CHARACTERS)),
    entropy: answer?.entropy === undefined ? undefined : within(answer.entropy.mean, MOST_BITS),
    findings: rules.length === 0 ? NONE : distinct(rules),
    tools:
      answer === undefined || answer.called.length === 0
        ? NONE
        : distinct(answer.called.map(({ name }) => toolName(name))),
    language: answer?.language ?? 'und',
  }
}

const MOST_CHARACTERS = 2 ** 32
/** A vocabulary of four thousand million tokens. */
const MOST_BITS = 32

/** From 0 to `most`; 0 for what is no number. One absurd value must not spoil a mean for ever. */
const within = (value: number, most: number): number => (value > 0 ? Math.min(value, most) : 0)

const NONE: readonly string[] = ['none']

const MOST_DISTINCT = 64

const distinct = (names: readonly string[]): readonly string[] =>
  names.length === 1 ? names : [...new Set(names.slice(0, MOST_DISTINCT))]

/** `random` gives numbers from 0 to below 1. */
export const take = (pane: Pane, seen: Observation, random: () => number): void => {
  pane.exchanges += 1
  if (seen.refused) pane.refused += 1
  for (const rule of seen.findings) count(pane.findings, rule)
  if (seen.length === undefined) return
  pane.answers += 1
  if (seen.declined) pane.declined += 1
  for (const tool of seen.tools) count(pane.tools, tool)
  count(pane.language, seen.language)
  put(pane.length, Math.floor(seen.length))
  keep(pane.samples.length, seen.length, random)
  if (seen.entropy === undefined) return
  put(pane.entropy, Math.floor(seen.entropy * 4))
  keep(pane.samples.entropy, seen.entropy, random)
}

const count = (words: Words, word: string): void => {
  const known = words[word]
  if (known !== undefined) words[word] = known + 1
  else if (Object.keys(words).length < MOST_WORDS) words[word] = 1
  else words['other'] = (words['other'] ?? 0) + 1
}

const put = (bins: number[], bin: number): void => {
  const at = Math.min(Math.max(bin, 0), bins.length - 1)
  bins[at] = (bins[at] ?? 0) + 1
}

/** Reservoir sampling (J. S. Vitter, Random sampling with a reservoir, 1985, algorithm R). */
const keep = (sample: Sample, value: number, random: () => number): void => {
  sample.count += 1
  const from = value - sample.mean
  sample.mean += from / sample.count
  sample.squares += from * (value - sample.mean)
  if (sample.kept.length < SAMPLE_SIZE) sample.kept.push(value)
  else {
    const at = Math.floor(random() * sample.count)
    if (at < SAMPLE_SIZE) sample.kept[at] = value
  }
}

/** Standard deviation; 0 for fewer than two values. */
export const spread = ({ count: n, squares }: Sample): number => (n < 2 ? 0 : Math.sqrt(squares / (n - 1)))
