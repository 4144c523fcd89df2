import type { Attempt } from './attempt.ts'
import type { Seed } from './lists.ts'
import { MUTATORS, mutatorNamed } from './mutators/all.ts'
import { STAGES } from './mutators/mutator.ts'
import { build } from './plan.ts'
import type { Planted } from './planted.ts'
import { seededRandom, type Random } from './random.ts'
import { fire, type Firing } from './run.ts'

export interface FuzzOptions {
  readonly seeds: readonly Seed[]
  readonly planted: Planted
  readonly seed: string
  /** Requests at most. */
  readonly budget: number
  readonly firing: Firing
}

interface Parent {
  readonly from: Seed
  readonly mutators: readonly string[]
  readonly worth: number
}

const GENERATION = 32
const KEPT = 64

/**
 * Mutates what got furthest: past the guard counts one, the detector's score on top. Starts from attacks that were stopped or
 * failed and looks for variants that succeed. Same seed and same answers: same fuzzing, whatever the concurrency.
 */
export const fuzz = async (options: FuzzOptions, tried: readonly Attempt[]): Promise<readonly Attempt[]> => {
  const random = seededRandom(`fuzz ${options.seed}`)
  const sent = new Set(tried.map(({ attack }) => attack.id))
  const found: Attempt[] = []
  let parents = strongest(
    tried.filter(({ verdict }) => verdict !== 'succeeded').flatMap((one) => parentOf(one, options)),
  )
  while (found.length < options.budget && parents.length > 0 && options.firing.stop?.aborted !== true) {
    const children = breed(parents, random, Math.min(GENERATION, options.budget - found.length))
      .map(({ from, mutators }) => build(from, mutators, options))
      .filter(({ id }) => !sent.has(id) && sent.add(id).size > 0)
    if (children.length === 0) break
    const attempts = await fire(children, options.firing)
    found.push(...attempts)
    const alive = attempts.filter(({ verdict }) => verdict !== 'succeeded')
    parents = strongest([...parents, ...alive.flatMap((one) => parentOf(one, options))])
  }
  return found
}

const parentOf = ({ attack, score, verdict }: Attempt, { seeds }: FuzzOptions): readonly Parent[] => {
  const from = seeds.find(({ id }) => id === attack.seed)
  if (from?.goal === undefined || verdict === 'error') return []
  return [{ from, mutators: attack.mutators, worth: score + (verdict === 'blocked' ? 0 : 1) }]
}

/** The best of each seed first, so that one promising seed does not crowd out the others. */
const strongest = (parents: readonly Parent[]): readonly Parent[] => {
  const bySeed = Object.values(Object.groupBy(parents, ({ from }) => from.id))
  const ranked = bySeed.flatMap((group = []) =>
    group.toSorted((a, b) => b.worth - a.worth).map((parent, rank) => ({ parent, rank })),
  )
  return ranked
    .toSorted((a, b) => a.rank - b.rank || b.parent.worth - a.parent.worth)
    .slice(0, KEPT)
    .map(({ parent }) => parent)
}

const breed = (parents: readonly Parent[], random: Random, count: number): readonly Parent[] =>
  Array.from({ length: count }, () => {
    const parent = parents[random.below(parents.length)]
    const other = parents[random.below(parents.length)]
    return parent && other ? child(parent, other, random) : []
  }).flat()

/** Gains a mutator, loses one, or takes those of another parent. One of a stage at most. */
const child = (parent: Parent, other: Parent, random: Random): Parent => {
  const gained = MUTATORS[random.below(MUTATORS.length)]?.name
  const chance = random.below(4)
  const names =
    chance === 0 && parent.mutators.length > 1
      ? parent.mutators.toSpliced(random.below(parent.mutators.length), 1)
      : chance === 1
        ? [...parent.mutators, ...other.mutators]
        : [...parent.mutators, ...(gained === undefined ? [] : [gained])]
  return { ...parent, mutators: onePerStage(names) }
}

const onePerStage = (names: readonly string[]): readonly string[] => {
  const chosen = new Map(names.map((name) => [mutatorNamed(name).stage, name]))
  return STAGES.flatMap((stage) => chosen.get(stage) ?? [])
}
