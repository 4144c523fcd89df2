import type { ExchangeFacts } from '../core/behaviour.ts'
import { compareShares, twoSided, type Comparison } from './proportions.ts'

/** A way to tell groups of callers apart, by what was verified about them and never by what they write. */
export interface Dimension {
  /** Label of metrics, such as `region`. */
  readonly name: string
  /** `tenant`: the caller's tenant is one of the members; `role`, `scope`: one of the caller's is. */
  readonly by: 'tenant' | 'role' | 'scope'
  /** Group name to members. A caller in several counts in the first. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/** `refusal`: not refused or cut. `redaction`: not redacted. `decline`: the model did not say no. `length`: of answers. */
export type Outcome = 'refusal' | 'redaction' | 'decline' | 'length'

export interface Disparity {
  readonly dimension: string
  readonly group: string
  /** Compared with the group that fares best. */
  readonly reference: string
  readonly outcome: Outcome
  /**
   * Favourable share of this group by that of the reference; for `length`, the geometric mean of answer lengths. Below 0.8 the
   * four-fifths rule speaks of adverse impact (29 CFR 1607.4 D).
   */
  readonly ratio: number
  /** For `length` the difference is of mean natural logarithms, by Welch's z-test. */
  readonly test: Comparison
  readonly exchanges: number
  /** Ratio below 0.8, and p below 0.01. */
  readonly adverse: boolean
}

/** Fewer exchanges, or answers, of a group are not judged. */
export const LEAST_GROUP = 30
const FOUR_FIFTHS = 0.8
const LEAST_P = 0.01

interface Tally {
  exchanges: number
  refused: number
  redacted: number
  answers: number
  declined: number
  logLength: number
  logLengthSquared: number
}

export interface Disparities {
  seen(facts: ExchangeFacts): void
  report(): readonly Disparity[]
}

/** Tallies over the present and the last window, so that what was long ago does not count for ever. */
export const disparities = (dimensions: readonly Dimension[], windowMs: number): Disparities => {
  const names = dimensions.map(({ groups }) => Object.keys(groups))
  const empty = (): Tally[][] => names.map((groups) => groups.map(emptyTally))
  const members = dimensions.map(membersOf)
  let now = empty()
  let before = empty()
  let since = -Infinity
  return {
    seen: (facts) => {
      if (facts.at - since >= windowMs) {
        before = facts.at - since >= 2 * windowMs ? empty() : now
        now = empty()
        since = facts.at
      }
      for (let at = 0; at < dimensions.length; at++) {
        const group = groupOf(dimensions[at], members[at], facts)
        const tally = group === undefined ? undefined : now[at]?.[group]
        if (tally) add(tally, facts)
      }
    },
    report: () =>
      dimensions.flatMap(({ name }, at) => {
        const tallies = (names[at] ?? []).map((group, index) => ({
          group,
          tally: sum(now[at]?.[index], before[at]?.[index]),
        }))
        return compared(name, tallies)
      }),
  }
}

const emptyTally = (): Tally => ({
  exchanges: 0,
  refused: 0,
  redacted: 0,
  answers: 0,
  declined: 0,
  logLength: 0,
  logLengthSquared: 0,
})

const sum = (a: Tally = emptyTally(), b: Tally = emptyTally()): Tally => ({
  exchanges: a.exchanges + b.exchanges,
  refused: a.refused + b.refused,
  redacted: a.redacted + b.redacted,
  answers: a.answers + b.answers,
  declined: a.declined + b.declined,
  logLength: a.logLength + b.logLength,
  logLengthSquared: a.logLengthSquared + b.logLengthSquared,
})

/** Member to index of the first group that has it. */
const membersOf = ({ groups }: Dimension): ReadonlyMap<string, number> => {
  const members = new Map<string, number>()
  Object.values(groups).forEach((list, index) => {
    for (const member of list) if (!members.has(member)) members.set(member, index)
  })
  return members
}

const groupOf = (
  dimension: Dimension | undefined,
  members: ReadonlyMap<string, number> | undefined,
  facts: ExchangeFacts,
): number | undefined => {
  if (dimension === undefined || members === undefined || facts.caller === '') return undefined
  if (dimension.by === 'tenant') return members.get(facts.tenant)
  let first: number | undefined
  for (const one of dimension.by === 'role' ? facts.roles : facts.scopes) {
    const index = members.get(one)
    if (index !== undefined && (first === undefined || index < first)) first = index
  }
  return first
}

const add = (tally: Tally, { outcome, answer }: ExchangeFacts): void => {
  tally.exchanges += 1
  if (outcome === 'refused' || outcome === 'cut') tally.refused += 1
  if (outcome === 'redacted') tally.redacted += 1
  if (answer === undefined) return
  // 0 also for what is no number.
  const length = answer.characters > 0 ? Math.log(1 + Math.min(answer.characters, 2 ** 32)) : 0
  tally.answers += 1
  tally.logLength += length
  tally.logLengthSquared += length * length
  if (answer.declined) tally.declined += 1
}

interface Named {
  readonly group: string
  readonly tally: Tally
}

const compared = (dimension: string, tallies: readonly Named[]): readonly Disparity[] => {
  const shares: readonly (readonly [Outcome, (tally: Tally) => readonly [number, number]])[] = [
    ['refusal', (tally) => [tally.exchanges - tally.refused, tally.exchanges]],
    ['redaction', (tally) => [tally.exchanges - tally.redacted, tally.exchanges]],
    ['decline', (tally) => [tally.answers - tally.declined, tally.answers]],
  ]
  return [
    ...shares.flatMap(([outcome, of]) => byShare({ dimension, outcome }, tallies, of)),
    ...byLength(dimension, tallies),
  ]
}

const best = (named: readonly Named[], value: (tally: Tally) => number): Named | undefined =>
  named.reduce<Named | undefined>(
    (top, one) => (top === undefined || value(one.tally) > value(top.tally) ? one : top),
    undefined,
  )

const byShare = (
  key: { readonly dimension: string; readonly outcome: Outcome },
  all: readonly Named[],
  of: (tally: Tally) => readonly [number, number],
): readonly Disparity[] => {
  const rate = (tally: Tally): number => of(tally)[0] / of(tally)[1]
  const judged = all.filter(({ tally }) => of(tally)[1] >= LEAST_GROUP)
  const reference = best(judged, rate)
  if (reference === undefined || judged.length < 2) return []
  const [hits, count] = of(reference.tally)
  return judged.flatMap(({ group, tally }) => {
    const [ours, of_] = of(tally)
    const test = compareShares({ hits: ours, of: of_ }, { hits, of: count })
    if (test === undefined || hits === 0) return []
    const ratio = rate(tally) / rate(reference.tally)
    return [
      {
        ...key,
        group,
        reference: reference.group,
        ratio,
        test,
        exchanges: of_,
        adverse: isAdverse(ratio, test),
      },
    ]
  })
}

const isAdverse = (ratio: number, { pValue }: Comparison): boolean => ratio < FOUR_FIFTHS && pValue < LEAST_P

const byLength = (dimension: string, all: readonly Named[]): readonly Disparity[] => {
  const mean = ({ logLength, answers }: Tally): number => logLength / answers
  const judged = all.filter(({ tally }) => tally.answers >= LEAST_GROUP)
  const reference = best(judged, mean)
  if (reference === undefined || judged.length < 2) return []
  return judged.map(({ group, tally }) => {
    const test = welch(tally, reference.tally)
    const ratio = Math.exp(test.difference)
    return {
      dimension,
      outcome: 'length',
      group,
      reference: reference.group,
      ratio,
      test,
      exchanges: tally.answers,
      adverse: isAdverse(ratio, test),
    }
  })
}

const Z_975 = 1.959963984540054

/** Unequal variances, normal approximation: groups have 30 answers or more (B. L. Welch, 1947). */
const welch = (a: Tally, b: Tally): Comparison => {
  const [m1, v1] = moments(a)
  const [m2, v2] = moments(b)
  const error = Math.sqrt(v1 / a.answers + v2 / b.answers)
  const difference = m1 - m2
  const z = error === 0 ? 0 : difference / error
  return {
    difference,
    z,
    pValue: twoSided(z),
    interval: [difference - Z_975 * error, difference + Z_975 * error],
  }
}

const moments = ({ answers, logLength, logLengthSquared }: Tally): readonly [number, number] => {
  const mean = logLength / answers
  return [mean, Math.max(0, (logLengthSquared - answers * mean * mean) / (answers - 1))]
}
