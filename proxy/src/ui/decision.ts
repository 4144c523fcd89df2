import type { AuditFinding, AuditRecord } from '../core/audit.ts'
import type { Action, Stage } from '../core/policy.ts'

export type Outcome = AuditRecord['outcome']

/** What the page keeps of one exchange: never a text, every string and list bounded, nothing of the record held. */
export interface Decision {
  readonly id: string
  /** RFC 3339, UTC. */
  readonly time: string
  readonly route: string
  readonly model: string
  readonly upstream: string
  readonly caller: Who | undefined
  readonly client: string
  readonly trace: string
  readonly stream: boolean
  readonly policy: { readonly engine: string; readonly revision: string }
  readonly outcome: Outcome
  readonly status: number
  readonly reasons: readonly string[]
  /** Answers of the policy, in the order in which it gave them. */
  readonly decisions: readonly Answered[]
  readonly findings: readonly Place[]
  /** Findings beyond those kept. */
  readonly omitted: number
  /** Texts inspected, in both directions. */
  readonly texts: number
  readonly uninspected: number
  readonly tokens: { readonly input: number; readonly output: number } | undefined
  /** Milliseconds by name. */
  readonly timings: Readonly<Record<string, number>>
}

export interface Who {
  readonly subject: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly via: string
}

export interface Answered {
  readonly stage: Stage
  readonly allow: boolean
  readonly reasons: readonly string[]
  readonly times: number
  readonly maxTokens: number | undefined
  readonly model: string | undefined
  readonly toolsRemoved: number
}

export interface Place {
  readonly rule: string
  readonly direction: 'request' | 'response'
  /** A pointer in which keys that a caller chose are `*`. */
  readonly path: string
  readonly start: number
  readonly end: number
  readonly score: number
  /** Codes that say why it is one. */
  readonly evidence: readonly string[]
  readonly action: Action
  /** Where the policy's answer has that action. */
  readonly by: AuditFinding['by']
}
