import type { AuditFinding, AuditRecord, AuditTool } from '../core/audit.ts'
import type { Flag } from '../core/flag.ts'
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
  /** Tools that the model called. */
  readonly tools: readonly AuditTool[]
  /** What was unusual. */
  readonly flags: readonly Flag[]
  /** Mean and highest bits a token of the answer; undefined when not known. */
  readonly entropy: { readonly mean: number; readonly max: number } | undefined
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
  /** The score at which policy acts on the rule; undefined where it looks at none. */
  readonly threshold: number | undefined
  /** Codes that say why it is one. */
  readonly evidence: readonly string[]
  readonly action: Action
  /** Where the policy's answer has that action. */
  readonly by: AuditFinding['by']
}
