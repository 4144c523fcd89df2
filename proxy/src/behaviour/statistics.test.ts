import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { disparities } from './disparity.ts'
import { kolmogorovSmirnov, kolmogorovTail, populationStability, stabilityNoise } from './drift-tests.ts'
import { entropyOf, tokenEntropy } from './entropy.ts'
import { ewma, medians } from './history.ts'
import { pageHinkley } from './page-hinkley.ts'
import { mcnemarExact } from './probes.ts'
import { compareShares, twoSided, wilson } from './proportions.ts'
import { exchange } from './test/facts.ts'

type Pair = readonly [number, number]

/** Made by test/reference.py with scipy, statsmodels and river; the versions stand in the file. */
interface Reference {
  readonly entropy: readonly { readonly logprobs: readonly number[]; readonly bits: number }[]
  readonly psi: readonly {
    readonly baseline: readonly number[]
    readonly current: readonly number[]
    readonly psi: number
  }[]
  readonly noise: readonly { readonly samples: Pair; readonly bins: number; readonly value: number }[]
  readonly smirnov: readonly {
    readonly a: readonly number[]
    readonly b: readonly number[]
    readonly distance: number
    readonly exact: number
  }[]
  readonly kolmogorov: readonly { readonly x: number; readonly p: number }[]
  readonly pageHinkley: readonly {
    readonly values: readonly number[]
    readonly options: readonly [number, number, number, number]
    readonly found: readonly number[]
  }[]
  readonly proportions: readonly {
    readonly first: Pair
    readonly second: Pair
    readonly z: number
    readonly p: number
    readonly interval: Pair
    readonly wilson: Pair
  }[]
  readonly normal: readonly { readonly z: number; readonly p: number }[]
  readonly welch: readonly {
    readonly a: readonly number[]
    readonly b: readonly number[]
    readonly z: number
    readonly p: number
    readonly interval: Pair
    readonly ratio: number
  }[]
  readonly mcnemar: readonly { readonly onlyA: number; readonly onlyB: number; readonly p: number }[]
  readonly medians: readonly {
    readonly values: readonly number[]
    readonly median: number
    readonly deviation: number
  }[]
}

const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, 'test/reference.json'), 'utf8'),
) as Reference

const close = (value: number, wanted: number, relative: number): void =>
  expect(Math.abs(value - wanted)).toBeLessThanOrEqual(Math.max(1e-12, relative * Math.abs(wanted)))

const token = (logprobs: readonly number[]) => ({
  token: 't0',
  logprob: logprobs[0]!,
  top: logprobs.map((logprob, at) => ({ token: `t${at}`, logprob })),
})

describe('entropy', () => {
  test.each(reference.entropy)('of $logprobs.length alternatives is what scipy gives', ({ logprobs, bits }) =>
    close(tokenEntropy(token(logprobs)), bits, 1e-9),
  )

  test('of a fair coin is one bit, of a certain token none, of four equal tokens two', () => {
    expect(tokenEntropy(token([Math.log(0.5), Math.log(0.5)]))).toBeCloseTo(1, 12)
    expect(tokenEntropy(token([0]))).toBe(0)
    expect(tokenEntropy(token([0.25, 0.25, 0.25, 0.25].map(Math.log)))).toBeCloseTo(2, 12)
  })

  test('counts the token itself once, listed or not', () => {
    const [listed, rest] = [Math.log(0.7), Math.log(0.2)]
    const top = [{ token: 'b', logprob: rest }]
    expect(tokenEntropy({ token: 'a', logprob: listed, top })).toBeCloseTo(
      tokenEntropy({ token: 'a', logprob: listed, top: [{ token: 'a', logprob: listed }, ...top] }),
      12,
    )
  })

  test('is a lower bound: seeing more alternatives never lowers it', () =>
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 2, maxLength: 30 }),
        (weights) => {
          const total = weights.reduce((sum, weight) => sum + weight, 0)
          const logprobs = weights.map((weight) => Math.log(weight / total))
          let before = 0
          for (let k = 1; k <= logprobs.length; k++) {
            const bits = tokenEntropy(token(logprobs.slice(0, k)))
            expect(bits).toBeGreaterThanOrEqual(before - 1e-9)
            before = bits
          }
          expect(before).toBeLessThanOrEqual(Math.log2(logprobs.length) + 1e-9)
        },
      ),
    ))

  test('refuses impossible probabilities, and an answer counts without such tokens', () => {
    expect(() => tokenEntropy(token([0.1]))).toThrow(RangeError)
    expect(() => tokenEntropy(token([NaN]))).toThrow(RangeError)
    expect(() => tokenEntropy(token([Math.log(0.8), Math.log(0.8)]))).toThrow(RangeError)
    const coin = token([Math.log(0.5), Math.log(0.5)])
    expect(entropyOf([coin, token([3]), token([0])])).toEqual({ tokens: 2, mean: 0.5, max: 1 })
    expect(entropyOf([token([Infinity])])).toBeUndefined()
  })

  test('of any numbers at all never throws and is finite', () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double(), { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
        (lists) => {
          const stats = entropyOf(lists.map(token))
          if (stats)
            expect([stats.mean, stats.max].every((bits) => Number.isFinite(bits) && bits >= 0)).toBe(true)
          else expect(stats).toBeUndefined()
        },
      ),
    ))
})

describe('population stability index', () => {
  test.each(reference.psi)(
    'of histograms is Jeffreys divergence by scipy: $psi',
    ({ baseline, current, psi }) => close(populationStability(baseline, current), psi, 1e-9),
  )

  test.each(reference.noise)(
    'chance for $samples in $bins bins is what the chi-square quantile says',
    (row) => close(stabilityNoise(row.samples, row.bins), row.value, 0.02),
  )

  test('is symmetric, never negative, 0 for equal shares and finite for empty bins', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 2, maxLength: 25 }),
        (pairs) => {
          const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)]
          const psi = populationStability(a, b)
          expect(Number.isFinite(psi)).toBe(true)
          expect(psi).toBeGreaterThanOrEqual(0)
          expect(psi).toBeCloseTo(populationStability(b, a), 9)
          expect(populationStability(a, a)).toBe(0)
        },
      ),
    ))
})

describe('Kolmogorov-Smirnov', () => {
  test.each(reference.smirnov)(
    'of $a.length and $b.length numbers is what scipy gives',
    ({ a, b, distance, exact }) => {
      const found = kolmogorovSmirnov(Float64Array.from(a), Float64Array.from(b))
      expect(found.distance).toBeCloseTo(distance, 12)
      if (a.length * b.length <= 10_000) close(found.pValue, exact, 1e-9)
      else expect(Math.abs(found.pValue - exact)).toBeLessThan(0.01)
    },
  )

  test.each(reference.kolmogorov)('tail at $x is that of scipy', ({ x, p }) =>
    close(kolmogorovTail(x), p, 1e-9),
  )

  test('rejects at 5 % about one time in twenty, or less, when nothing changed', () => {
    const random = numbers(7)
    let rejected = 0
    for (let round = 0; round < 400; round++) {
      const sample = () => Float64Array.from({ length: 256 }, random)
      if (kolmogorovSmirnov(sample(), sample()).pValue < 0.05) rejected += 1
    }
    expect(rejected / 400).toBeLessThan(0.09)
  })
})

describe('Page-Hinkley', () => {
  // The first is the example in the documentation of river: "Change detected at index 1006".
  test.each(reference.pageHinkley)('finds changes where river does: $found', ({ values, options, found }) => {
    const [minValues, delta, threshold, alpha] = options
    const test_ = pageHinkley({ minValues, delta, threshold, alpha })
    const changes = values.flatMap((value, at) => (test_.next(value) === undefined ? [] : [at]))
    expect(changes).toEqual(found)
  })

  test('with the settings of drift raises less than one alarm in 100,000 values when nothing changes', () => {
    const random = numbers(11)
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const test_ = pageHinkley({ minValues: 30, delta: 0.1, threshold: 50, alpha: 1 })
    let alarms = 0
    for (let at = 0; at < 200_000; at++) if (test_.next(normal()) !== undefined) alarms += 1
    expect(alarms).toBeLessThan(2)
  })
})

describe('proportions', () => {
  // 56/70 and 48/80 is the first example of Newcombe (1998), table II: 0.0524 to 0.3339.
  test.each(reference.proportions)('$first against $second is what statsmodels gives', (row) => {
    const [first, second] = [row.first, row.second].map(([hits, of]) => ({ hits, of })) as [Of, Of]
    const found = compareShares(first, second)!
    expect(found.z).toBeCloseTo(row.z, 9)
    close(found.pValue, row.p, 1e-6)
    row.interval.forEach((bound, at) => expect(found.interval[at]).toBeCloseTo(bound, 9))
    row.wilson.forEach((bound, at) => expect(wilson(first)[at]).toBeCloseTo(bound, 9))
  })

  test.each(reference.normal)('the tail of a normal at $z is that of scipy', ({ z, p }) =>
    close(twoSided(z), p, 1e-6),
  )

  test.each(reference.mcnemar)('McNemar of $onlyA and $onlyB is that of statsmodels', ({ onlyA, onlyB, p }) =>
    close(mcnemarExact(onlyA, onlyB), p, 1e-9),
  )

  interface Of {
    readonly hits: number
    readonly of: number
  }
})

describe('outcome disparity', () => {
  const dimension = { name: 'region', by: 'tenant', groups: { north: ['n'], south: ['s'] } } as const

  test('the example of the Uniform Guidelines: 48 of 80 and 12 of 40 is 50 %, which is adverse impact', () => {
    const groups = disparities([dimension], 1e9)
    const send = (tenant: string, hits: number, of: number): void => {
      for (let at = 0; at < of; at++)
        groups.seen(exchange({ tenant, outcome: at < hits ? 'allowed' : 'refused', answer: undefined }))
    }
    send('n', 48, 80)
    send('s', 12, 40)
    const south = groups.report().find(({ group, outcome }) => group === 'south' && outcome === 'refusal')
    expect(south).toMatchObject({ reference: 'north', adverse: true, exchanges: 40 })
    expect(south!.ratio).toBeCloseTo(0.5, 12)
    expect(south!.test.pValue).toBeCloseTo(0.00194577, 7)
  })

  test.each(reference.welch)('lengths of answers compare as in statsmodels: $ratio', (row) => {
    const groups = disparities([dimension], 1e9)
    const send = (tenant: string, lengths: readonly number[]): void => {
      for (const characters of lengths) groups.seen(exchange({ tenant }, { characters }))
    }
    send('n', row.a)
    send('s', row.b)
    const found = groups.report().find(({ outcome, ratio }) => outcome === 'length' && ratio !== 1)!
    const northLess = found.group === 'north'
    expect(found.test.z * (northLess ? 1 : -1)).toBeCloseTo(row.z, 6)
    close(found.test.pValue, row.p, 1e-5)
    close(found.ratio, northLess ? row.ratio : 1 / row.ratio, 1e-9)
  })

  test('small groups are not judged', () => {
    const groups = disparities([dimension], 1e9)
    for (let at = 0; at < 29; at++) groups.seen(exchange({ tenant: 's', outcome: 'refused' }))
    for (let at = 0; at < 500; at++) groups.seen(exchange({ tenant: 'n' }))
    expect(groups.report()).toEqual([])
  })
})

describe('history', () => {
  test.each(reference.medians)('median and its absolute deviation of $values are those of scipy', (row) => {
    expect(medians(Float32Array.from(row.values))).toEqual({ median: row.median, deviation: row.deviation })
  })

  // NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4: weight 0.3, started at 50.
  test('the moving average is that of the example in the handbook of NIST', () => {
    const values = [
      52, 47, 53, 49.3, 50.1, 47, 51, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6,
      52.1,
    ]
    const wanted = [
      50.6, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38,
      49.92, 50.73, 51.23, 51.94, 51.99,
    ]
    let mean = 50
    const found = values.map((value) => (mean = ewma(mean, value, 0.3)))
    found.forEach((value, at) => expect(Math.abs(value - wanted[at]!)).toBeLessThan(0.0051))
  })
})

/** Numbers from 0 to below 1, the same every time (mulberry32). */
const numbers = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
