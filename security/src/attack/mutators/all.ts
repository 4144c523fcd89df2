import { carriers } from './carriers.ts'
import { encodings } from './encodings.ts'
import { STAGES, user, type Draft, type Mutate, type Setting, type Stage } from './mutator.ts'
import { unicode } from './unicode.ts'
import { languages, wrappers } from './wrappers.ts'

export interface Mutator {
  readonly name: string
  readonly stage: Stage
  readonly mutate: Mutate
}

const staged = (stage: Stage, table: Readonly<Record<string, Mutate>>): readonly Mutator[] =>
  Object.entries(table).map(([name, mutate]) => ({ name, stage, mutate }))

export const MUTATORS: readonly Mutator[] = [
  ...staged('say', languages),
  ...staged('encode', { ...encodings, ...unicode }),
  ...staged('wrap', wrappers),
  ...staged('carry', carriers),
]

const byName = new Map(MUTATORS.map((mutator) => [mutator.name, mutator]))

/** The mutator of that name. Throws RangeError for an unknown one: data files name mutators. */
export const mutatorNamed = (name: string): Mutator => {
  const mutator = byName.get(name)
  if (mutator === undefined) throw new RangeError(`there is no mutator ${JSON.stringify(name)}`)
  return mutator
}

/** Applies each, in the order of the stages whatever the order given. Of two in one stage the later wins. */
export const mutated = (text: string, names: readonly string[], setting: Setting): Draft => {
  const chosen = new Map(names.map((name) => [mutatorNamed(name).stage, mutatorNamed(name)]))
  return STAGES.flatMap((stage) => chosen.get(stage) ?? []).reduce<Draft>(
    (draft, { mutate }) => mutate(draft, setting),
    { text },
  )
}

/** The messages of a draft, as they are sent after the system prompt. */
export const messagesOf = ({ text, messages }: Draft) => messages ?? [user(text)]
