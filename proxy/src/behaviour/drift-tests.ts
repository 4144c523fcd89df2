/**
 * Population stability index of two histograms over the same bins: the sum of (p - q) ln(p / q), with p and q the shares.
 * Half an event is added to each bin of both, as an empty bin would make it infinite. Rules of thumb (S. Siddiqi, Credit
 * Risk Scorecards, 2006): below 0.1 nothing changed, above 0.25 the population is another one.
 * 0 when either histogram is empty. Throws RangeError when the bins differ in number.
 */
export const populationStability = (baseline: ArrayLike<number>, current: ArrayLike<number>): number => {
  if (baseline.length !== current.length) throw new RangeError('histograms with different bins')
  const was = total(baseline)
  const is = total(current)
  if (was === 0 || is === 0) return 0
  const bins = baseline.length
  let sum = 0
  for (let bin = 0; bin < bins; bin++) {
    const p = ((current[bin] ?? 0) + SMOOTHING) / (is + SMOOTHING * bins)
    const q = ((baseline[bin] ?? 0) + SMOOTHING) / (was + SMOOTHING * bins)
    sum += (p - q) * Math.log(p / q)
  }
  return sum
}

const SMOOTHING = 0.5

const total = (counts: ArrayLike<number>): number => {
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) sum += counts[bin] ?? 0
  return sum
}

/**
 * The value that PSI stays below with probability 0.999 when nothing changed: (1/n + 1/m) times the chi-square quantile of
 * B - 1 degrees of freedom (B. Yurdakul, J. Naranjo, Statistical properties of the population stability index, 2020), the
 * quantile by Wilson and Hilferty. Small samples reach 0.25 by chance; this says when.
 */
export const stabilityNoise = (samples: readonly [number, number], bins: number): number => {
  const [n, m] = samples
  const degrees = Math.max(1, bins - 1)
  const third = 2 / (9 * degrees)
  const quantile = degrees * (1 - third + Z_999 * Math.sqrt(third)) ** 3
  return (1 / Math.max(1, n) + 1 / Math.max(1, m)) * quantile
}

const Z_999 = 3.090232306167813

export interface KolmogorovSmirnov {
  /** Largest distance between the two distribution functions. */
  readonly distance: number
  /** Two-sided. */
  readonly pValue: number
}

/**
 * Two-sample Kolmogorov-Smirnov test. Exact (J. L. Hodges, 1958, by counting lattice paths) up to 10,000 pairs, beyond it the
 * Kolmogorov distribution. With ties, as lengths have, the p-value is an upper bound. Both samples must hold only numbers;
 * they are sorted in place. An empty sample gives distance 0 and p-value 1.
 */
export const kolmogorovSmirnov = (a: Float64Array, b: Float64Array): KolmogorovSmirnov => {
  if (a.length === 0 || b.length === 0) return { distance: 0, pValue: 1 }
  a.sort()
  b.sort()
  const distance = largestGap(a, b)
  const exact = a.length * b.length <= MOST_EXACT
  const pValue = exact
    ? exactTail(distance, a.length, b.length)
    : kolmogorovTail(distance * Math.sqrt((a.length * b.length) / (a.length + b.length)))
  return { distance, pValue: Math.min(1, Math.max(0, pValue)) }
}

const MOST_EXACT = 10_000

const largestGap = (a: Float64Array, b: Float64Array): number => {
  let i = 0
  let j = 0
  let gap = 0
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0)
    while (i < a.length && a[i] === value) i++
    while (j < b.length && b[j] === value) j++
    gap = Math.max(gap, Math.abs(i / a.length - j / b.length))
  }
  return gap
}

/** P(D >= distance): one minus the share of lattice paths that stay within the distance. */
const exactTail = (distance: number, m: number, n: number): number => {
  // The nearest possible value below, so that rounding does not decide whether a path touches.
  const bound = (0.5 + Math.floor(distance * m * n - 1e-7)) / (m * n)
  const paths = new Float64Array(n + 1)
  for (let j = 0; j <= n; j++) paths[j] = j / n > bound ? 0 : 1
  for (let i = 1; i <= m; i++) {
    const weight = i / (i + n)
    paths[0] = i / m > bound ? 0 : weight * (paths[0] ?? 0)
    for (let j = 1; j <= n; j++)
      paths[j] = Math.abs(i / m - j / n) > bound ? 0 : weight * (paths[j] ?? 0) + (paths[j - 1] ?? 0)
  }
  return 1 - (paths[n] ?? 0)
}

/** 2 times the alternating sum of exp(-2 k^2 x^2); below 0.2 it is 1 to more than twelve digits. */
export const kolmogorovTail = (x: number): number => {
  if (x < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * x * x)
    sum += k % 2 === 1 ? term : -term
    if (term < 1e-17) break
  }
  return 2 * sum
}
