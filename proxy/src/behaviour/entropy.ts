import type { EntropyStats } from '../core/flag.ts'
import type { TokenLogprob } from '../core/dialect.ts'

/** Model servers compute in 16 or 32 bits: probabilities that ought to add up to 1 miss it by so much. */
const MOST_OVER_ONE = 1e-3
const MOST_PROBABILITY = 1 + 1e-6

/**
 * Shannon entropy of the next-token distribution, in bits, from the `top_logprobs` of one token and the token itself.
 * The mass outside the top k counts as one symbol, so the value is a lower bound (C. E. Shannon, A Mathematical Theory of
 * Communication, 1948, section 6: merging symbols never raises entropy).
 * Throws RangeError when a probability exceeds 1 by more than 1e-6, all together exceed 1 by more than 1e-3, or one is no number.
 */
export const tokenEntropy = ({ token, logprob, top }: TokenLogprob): number => {
  let bits = 0
  let mass = 0
  let listed = false
  for (const alternative of top) {
    const probability = probabilityOf(alternative.logprob)
    bits += surprise(probability)
    mass += probability
    listed ||= alternative.token === token
  }
  if (!listed) {
    const probability = probabilityOf(logprob)
    bits += surprise(probability)
    mass += probability
  }
  if (mass > 1 + MOST_OVER_ONE) throw new RangeError('the probabilities of one token exceed 1 together')
  return Math.max(0, bits + surprise(Math.max(0, 1 - mass)))
}

const probabilityOf = (logprob: number): number => {
  const probability = Math.exp(logprob)
  if (Number.isNaN(probability) || probability > MOST_PROBABILITY)
    throw new RangeError('a log probability is above 0 or no number')
  return probability
}

const surprise = (probability: number): number =>
  probability > 0 ? -probability * Math.log2(probability) : 0

/** Over all tokens of an answer. Tokens with impossible probabilities are left out: a model server's fault is no surprise of its model. */
export interface EntropySum {
  take(tokens: readonly TokenLogprob[]): void
  /** Undefined when no token had probabilities. */
  stats(): EntropyStats | undefined
}

export const entropySum = (): EntropySum => {
  let count = 0
  let sum = 0
  let max = 0
  return {
    take: (tokens) => {
      for (const token of tokens) {
        const bits = readable(token)
        if (bits === undefined) continue
        count += 1
        sum += bits
        if (bits > max) max = bits
      }
    },
    stats: () => (count === 0 ? undefined : { tokens: count, mean: sum / count, max }),
  }
}

const readable = (token: TokenLogprob): number | undefined => {
  try {
    return tokenEntropy(token)
  } catch {
    return undefined
  }
}

/** Of a whole answer. Undefined when no token had probabilities. Never throws. */
export const entropyOf = (tokens: readonly TokenLogprob[]): EntropyStats | undefined => {
  const sum = entropySum()
  sum.take(tokens)
  return sum.stats()
}
