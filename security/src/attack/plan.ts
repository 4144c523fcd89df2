import { createHash } from 'node:crypto'
import type { Attack, Message } from './attack.ts'
import type { Seed } from './lists.ts'
import { messagesOf, mutated, MUTATORS, type Mutator } from './mutators/all.ts'
import { order } from './phrases.ts'
import type { Planted } from './planted.ts'
import { seededRandom } from './random.ts'

export interface PlanOptions {
  readonly seeds: readonly Seed[]
  readonly planted: Planted
  /** The same seed gives the same plan. */
  readonly seed: string
  /** Attacks at most; benign prompts come on top, all of them. */
  readonly attacks: number
}

/**
 * Every seed as it is, then each with one mutator more, then with two, in an order that gives every family its share
 * wherever the number of attacks ends the list.
 */
export const plan = (options: PlanOptions): readonly Attack[] => {
  const { seeds, seed, attacks } = options
  const random = seededRandom(`plan ${seed}`)
  const hostile = seeds.filter(({ goal }) => goal !== undefined)
  const benign = seeds.filter(({ goal }) => goal === undefined)
  const singles = pairs(hostile, MUTATORS)
  const doubles = random.shuffled(singles).map(({ from, mutators }) => ({
    from,
    mutators: [...mutators, random.shuffled(MUTATORS)[0]?.name ?? ''],
  }))
  const wanted = [
    ...fair(hostile.map((from) => ({ from, mutators: [] as readonly string[] }))),
    ...fair(random.shuffled(singles)),
    ...fair(doubles),
  ]
  const found = new Map<string, Attack>()
  for (const { from, mutators } of wanted) {
    if (found.size >= attacks) break
    const attack = build(from, mutators, options)
    if (!found.has(attack.id)) found.set(attack.id, attack)
  }
  return [...found.values(), ...benign.map((from) => build(from, [], options))]
}

interface Choice {
  readonly from: Seed
  readonly mutators: readonly string[]
}

const pairs = (seeds: readonly Seed[], mutators: readonly Mutator[]): readonly Choice[] =>
  seeds.flatMap((from) => mutators.map(({ name }) => ({ from, mutators: [name] })))

/** Round and round the families, one of each at a time. */
const fair = (choices: readonly Choice[]): readonly Choice[] => {
  const lanes = Object.values(Object.groupBy(choices, ({ from }) => from.family))
  const longest = Math.max(0, ...lanes.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => lanes.flatMap((lane) => lane[i] ?? [])).flat()
}

/** One attack from a seed and mutators on top of the seed's own. */
export const build = (
  from: Seed,
  more: readonly string[],
  { planted, seed }: Pick<PlanOptions, 'planted' | 'seed'>,
): Attack => {
  const { goal } = from
  const names = [...from.with, ...more]
  const said = goal === undefined ? from.text : from.text.replaceAll('{{order}}', order(goal, planted))
  const random = seededRandom(`${seed} ${from.id} ${names.join(' ')}`)
  const draft = mutated(said.replaceAll('..', '.'), names, { goal: goal ?? 'marker', planted, random })
  const system = [
    planted.systemPrompt,
    ...(goal === 'secret' ? [planted.keySentence] : []),
    ...(from.record ? [planted.record] : []),
  ].join(' ')
  const messages: readonly Message[] = [{ role: 'system', content: system }, ...messagesOf(draft)]
  return {
    id: createHash('sha256')
      .update(JSON.stringify([from.id, messages]))
      .digest('hex')
      .slice(0, 16),
    family: from.family,
    seed: from.id,
    mutators: more,
    ...(goal && { goal }),
    messages,
    tools: from.tools || messages.some(({ role }) => role === 'tool'),
  }
}
