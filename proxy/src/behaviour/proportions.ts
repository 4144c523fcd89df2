/** So many of so many. */
export interface Share {
  readonly hits: number
  readonly of: number
}

export interface Comparison {
  /** Share of the first minus share of the second. */
  readonly difference: number
  readonly z: number
  /** Two-sided. */
  readonly pValue: number
  /** 95 % confidence interval of the difference. */
  readonly interval: readonly [number, number]
}

/**
 * Two-proportion z-test with the pooled variance, and Newcombe's interval of the difference (R. G. Newcombe, Interval
 * estimation for the difference between independent proportions, 1998, method 10), which keeps its promise for small counts too.
 * Undefined when either group is empty.
 */
export const compareShares = (first: Share, second: Share): Comparison | undefined => {
  if (first.of === 0 || second.of === 0) return undefined
  const p1 = first.hits / first.of
  const p2 = second.hits / second.of
  const pooled = (first.hits + second.hits) / (first.of + second.of)
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / first.of + 1 / second.of))
  const z = error === 0 ? 0 : (p1 - p2) / error
  const [low1, high1] = wilson(first)
  const [low2, high2] = wilson(second)
  const difference = p1 - p2
  return {
    difference,
    z,
    pValue: twoSided(z),
    interval: [
      difference - Math.hypot(p1 - low1, high2 - p2),
      difference + Math.hypot(high1 - p1, p2 - low2),
    ],
  }
}

const Z_975 = 1.959963984540054

/** Wilson's score interval of one share, 95 %. */
export const wilson = ({ hits, of }: Share): readonly [number, number] => {
  const p = hits / of
  const z2 = Z_975 * Z_975
  const middle = (p + z2 / (2 * of)) / (1 + z2 / of)
  const half = (Z_975 / (1 + z2 / of)) * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of * of))
  return [middle - half, middle + half]
}

/** Probability of a standard normal at least so far from 0; relative error below 1.2e-7 (W. H. Press et al., Numerical Recipes, erfc). */
export const twoSided = (z: number): number => {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + x / 2)
  let polynomial = 0
  for (const coefficient of ERFC) polynomial = polynomial * t + coefficient
  return Math.min(1, t * Math.exp(-x * x + polynomial))
}

const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
  1.00002368, -1.26551223,
]
