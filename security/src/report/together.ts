import type { Count, RunRecord, TargetTally } from './record.ts'

/** Runs of several tools as if they were one. Throws RangeError when there is none. */
export const together = (runs: readonly RunRecord[]): RunRecord => {
  const last = runs.at(-1)
  if (last === undefined) throw new RangeError('there is no run')
  const undone = runs.flatMap(({ unfinished }) => unfinished ?? [])
  const guarded = added(runs.flatMap(({ targets }) => targets.guarded ?? []))
  // Of some tools only, it would be compared with what others sent.
  const bare = runs.every(({ targets }) => targets.bare)
    ? added(runs.flatMap(({ targets }) => targets.bare ?? []))
    : undefined
  return {
    ...{ version: last.version, id: last.id, at: last.at, model: last.model, seed: last.seed },
    tool: runs.map(({ tool }) => tool).join(', '),
    plan: runs.map(({ plan }) => plan).join(', '),
    ...(undone.length > 0 && { unfinished: undone.join('; ') }),
    targets: { ...(guarded && { guarded }), ...(bare && { bare }) },
  }
}

/** The newest whole runs of the same tools before these; undefined when one of them has none. */
export const earlierTogether = (
  runs: readonly RunRecord[],
  before: readonly RunRecord[],
): RunRecord | undefined => {
  const earlier = runs.flatMap(
    ({ tool, model }) =>
      before.findLast(
        (run) => run.tool === tool && run.model === model && !run.unfinished && !run.replayed,
      ) ?? [],
  )
  return earlier.length === runs.length ? together(earlier) : undefined
}

const added = (tallies: readonly TargetTally[]): TargetTally | undefined => {
  if (tallies.length === 0) return undefined
  const total = (of: (tally: TargetTally) => number): number =>
    tallies.reduce((sum, tally) => sum + of(tally), 0)
  return {
    families: addedCounts(tallies.map(({ families }) => families)),
    heat: {},
    confusion: {
      attack: {
        blocked: total(({ confusion }) => confusion.attack.blocked),
        allowed: total(({ confusion }) => confusion.attack.allowed),
      },
      benign: {
        blocked: total(({ confusion }) => confusion.benign.blocked),
        allowed: total(({ confusion }) => confusion.benign.allowed),
      },
    },
    errors: total(({ errors }) => errors),
    falsePositives: tallies.flatMap(({ falsePositives }) => falsePositives),
  }
}

const addedCounts = (all: readonly Readonly<Record<string, Count>>[]): Readonly<Record<string, Count>> => {
  const sums = new Map<string, Count>()
  for (const [name, { attacks, successes }] of all.flatMap((counts) => Object.entries(counts))) {
    const sum = sums.get(name) ?? { attacks: 0, successes: 0 }
    sums.set(name, { attacks: sum.attacks + attacks, successes: sum.successes + successes })
  }
  return Object.fromEntries(sums)
}
