import { createHash } from 'node:crypto'
import type { Attack } from '../attack/attack.ts'
import { wasStopped, type Attempt } from '../attack/attempt.ts'
import type { Count, TargetTally } from './record.ts'

/** Counts the attempts of one target. Errors count nowhere else: an attack that never arrived was not blocked. */
export const tally = (attempts: readonly Attempt[]): TargetTally => {
  const told = attempts.filter(({ verdict }) => verdict !== 'error')
  const [benign, hostile] = split(told)
  const stopped = benign.filter(wasStopped)
  const held = hostile.filter(wasStopped).length
  return {
    families: counted(hostile, familyOf),
    heat: Object.fromEntries(
      Object.entries(Object.groupBy(hostile, familyOf)).map(([family, group = []]) => [
        family,
        byMutator(group),
      ]),
    ),
    confusion: {
      attack: { blocked: held, allowed: hostile.length - held },
      benign: { blocked: stopped.length, allowed: benign.length - stopped.length },
    },
    errors: attempts.length - told.length,
    falsePositives: stopped.map(({ attack }) => attack.seed).sort(),
  }
}

/** Attacks and successes of each group. */
export const counted = (
  attempts: readonly Attempt[],
  groupOf: (attempt: Attempt) => string,
): Readonly<Record<string, Count>> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(attempts, groupOf)).map(([name, group = []]) => [name, count(group)]),
  )

export const familyOf = ({ attack }: Attempt): string => attack.family

/** The same for the same attacks in any order. */
export const planDigest = (attacks: readonly Attack[]): string =>
  createHash('sha256')
    .update(
      attacks
        .map(({ id }) => id)
        .sort()
        .join(),
    )
    .digest('hex')
    .slice(0, 16)

const count = (attempts: readonly Attempt[]): Count => ({
  attacks: attempts.length,
  successes: attempts.filter(({ verdict }) => verdict === 'succeeded').length,
})

const split = (attempts: readonly Attempt[]): readonly [readonly Attempt[], readonly Attempt[]] => [
  attempts.filter(({ attack }) => attack.family === 'benign'),
  attempts.filter(({ attack }) => attack.family !== 'benign'),
]

/** An attack with two mutators counts for both. */
const byMutator = (attempts: readonly Attempt[]): Readonly<Record<string, Count>> => {
  const named = attempts.flatMap((attempt) =>
    (attempt.attack.mutators.length === 0 ? ['plain'] : attempt.attack.mutators).map((name) => ({
      name,
      attempt,
    })),
  )
  return Object.fromEntries(
    Object.entries(Object.groupBy(named, ({ name }) => name)).map(([name, group = []]) => [
      name,
      count(group.map(({ attempt }) => attempt)),
    ]),
  )
}
