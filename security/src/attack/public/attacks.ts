import { createHash } from 'node:crypto'
import type { Attack } from '../attack.ts'
import { seededRandom } from '../random.ts'
import type { PublicPrompt } from './formats.ts'

export interface Sampling {
  /** The list's name; part of the ids. */
  readonly name: string
  /** The same seed takes the same prompts. */
  readonly seed: string
  /** Prompts at most. */
  readonly attacks: number
}

/** A sample of a public list, each as one user message. Nothing of ours is around it: its numbers are those of the list. */
export const listAttacks = (
  prompts: readonly PublicPrompt[],
  { name, seed, attacks }: Sampling,
): readonly Attack[] =>
  seededRandom(`list ${seed}`)
    .shuffled(prompts)
    .slice(0, attacks)
    .map(({ text, family }) => ({
      id: createHash('sha256').update(text).digest('hex').slice(0, 16),
      family,
      seed: name,
      mutators: [],
      goal: 'answered',
      messages: [{ role: 'user', content: text }],
      tools: false,
    }))
