import type { BehaviourReport } from '../core/behaviour.ts'
import type { Json } from '../core/json.ts'
import type { DecisionRing } from './ring.ts'
import type { HourCounters } from './hour.ts'

/** What the guard says of itself at this moment. Names and sentences of our own; never a secret. */
export interface GuardState {
  readonly version: string
  /** Unix milliseconds. */
  readonly startedAt: number
  /** Why no traffic should come; empty when it should. */
  readonly ready: readonly string[]
  readonly policy: {
    readonly engine: string
    readonly revision: string
    /** When this revision came into force, Unix milliseconds; undefined when not known. */
    readonly since: number | undefined
  }
  readonly parts: readonly Part[]
}

/** One thing that the guard depends on. Parts of one area should follow each other. */
export interface Part {
  /** Such as `Audit`, `Certificates`, `Policy bundle`, `Upstreams`. */
  readonly area: string
  readonly name: string
  readonly state: 'good' | 'warning' | 'bad'
  /** A sentence or a few words. */
  readonly says: string
}

/** What people may say of a decision. */
export interface Judging {
  /** Resolves when it is in the audit log. Rejects when it cannot be written. */
  judge(exchange: string, rule: string, verdict: Verdict): Promise<void>
}

export type Verdict = 'right' | 'wrong'

/** What the pages show. */
export interface Shown {
  readonly decisions: DecisionRing
  readonly hour: HourCounters
  readonly state: () => GuardState
  /** Undefined: nobody is asked. */
  readonly judging?: Judging
  /** As `GET /coverage` answers. */
  readonly coverage: () => Json
  /** How models and callers behave; absent where nothing is watched. */
  readonly behaviour?: () => BehaviourReport
}
