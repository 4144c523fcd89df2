import type { Goal, Message } from '../attack.ts'
import type { Planted } from '../planted.ts'
import type { Random } from '../random.ts'

/** Mutators apply in this order, one of each stage at most, so that any set of them is one well-defined attack. */
export const STAGES = ['say', 'encode', 'wrap', 'carry'] as const
export type Stage = (typeof STAGES)[number]

export interface Draft {
  readonly text: string
  /** How the text travels; as one user message while absent. */
  readonly messages?: readonly Message[]
}

export interface Setting {
  readonly goal: Goal
  readonly planted: Planted
  readonly random: Random
}

/** Deterministic: the same draft and random numbers give the same draft. */
export type Mutate = (draft: Draft, setting: Setting) => Draft

/** Of a mutator that changes the text only. */
export const onText =
  (change: (text: string, setting: Setting) => string): Mutate =>
  (draft, setting) => ({ ...draft, text: change(draft.text, setting) })

export const user = (content: string): Message => ({ role: 'user', content })
