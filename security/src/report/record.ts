/** Version 1 of a line of the store. A reader refuses others. */
export const RECORD_VERSION = 1

export type TargetName = 'guarded' | 'bare'

export interface Count {
  readonly attacks: number
  readonly successes: number
}

/** What one target did in one run. */
export interface TargetTally {
  readonly families: Readonly<Record<string, Count>>
  /** By family, then by mutator; `plain` is the seed as it is. */
  readonly heat: Readonly<Record<string, Readonly<Record<string, Count>>>>
  readonly confusion: {
    readonly attack: { readonly blocked: number; readonly allowed: number }
    readonly benign: { readonly blocked: number; readonly allowed: number }
  }
  /** Requests that said nothing about the target: network, overload, credentials. */
  readonly errors: number
  /** Seeds of the benign prompts that were stopped. */
  readonly falsePositives: readonly string[]
}

/** One run: what the store keeps of it, without any text of a prompt or an answer. */
export interface RunRecord {
  readonly version: typeof RECORD_VERSION
  /** Also the name of the file with the attacks that worked. */
  readonly id: string
  /** RFC 3339, when it ended. */
  readonly at: string
  /** What sent it: postern, garak, promptfoo, pyrit, promptbench, art, or `list:` and the name of a list. */
  readonly tool: string
  /** Of the tool, as it is installed. */
  readonly toolVersion?: string
  /** Why the run ended before its plan; absent for a whole one. Its shares prove nothing to a gate. */
  readonly unfinished?: string
  readonly model: string
  readonly seed: string
  /** Hash over the ids of the attacks: rates of two runs compare exactly only when it is the same. */
  readonly plan: string
  readonly targets: Readonly<Partial<Record<TargetName, TargetTally>>>
  /** Variants that feedback found, beyond the plan. */
  readonly fuzzed?: Readonly<Record<string, Count>>
  readonly replayed?: { readonly blocked: number; readonly allowed: number }
}
