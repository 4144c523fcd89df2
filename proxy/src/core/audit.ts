import type { EntropyStats, Flag } from './flag.ts'
import type { Caller } from './caller.ts'
import type { Usage } from './dialect.ts'
import type { Category } from './finding.ts'
import type { ModelVersion } from './upstream.ts'
import type { Action, ActionRow, Stage } from './policy.ts'

/** Written and made durable before the model is called, so that a crash cannot hide a call. */
export interface AuditBegin {
  readonly id: string
  readonly route: string
  readonly model: string
  readonly caller: Caller
  readonly trace: string
}

/** What happened in one exchange. Offsets and hashes only, never text. */
export interface AuditRecord {
  readonly id: string
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  readonly route: string
  readonly model: string
  readonly upstream: string
  readonly caller: Caller | null
  readonly client: string
  readonly trace: string
  /** 16 hex digits: the server span of the exchange; empty when it has none. */
  readonly span: string
  readonly stream: boolean
  /** The model as the model server named it, when that is a plain name; else empty. */
  readonly answered: string
  /** The version of the model that answered; null where no registry is followed. */
  readonly served: ModelVersion | null
  /** What judged: the guard's version, and the digest of the scanner's rules. */
  readonly versions: AuditVersions
  readonly policy: { readonly engine: string; readonly revision: string }
  /** `refused` also when the model's answer was; `cut` when part of it was delivered; `client_gone` when nobody read to the end. */
  readonly outcome: 'allowed' | 'redacted' | 'cut' | 'refused' | 'failed' | 'client_gone'
  readonly status: number
  /** Refusal code, then the policy's reason codes. */
  readonly reasons: readonly string[]
  /** In the order they were taken; equal ones in a row are one. */
  readonly decisions: readonly AuditDecision[]
  /** Decisions beyond those in `decisions`. */
  readonly decisionsOmitted: number
  readonly findings: readonly AuditFinding[]
  /** Tools that the model called, each once: plain names, `*` for others. */
  readonly tools: readonly AuditTool[]
  /** What was unusual about it. */
  readonly flags: readonly Flag[]
  /** Of the answer; null when the model server gave no probabilities. */
  readonly entropy: EntropyStats | null
  readonly texts: readonly AuditText[]
  readonly uninspected: number
  readonly tokens: Usage | null
  /** Milliseconds. */
  readonly timings: Readonly<Record<string, number>>
}

export interface AuditVersions {
  readonly guard: string
  readonly rules: string
}

export interface AuditTool {
  readonly name: string
  /** Whether the request offered it to the model. */
  readonly offered: boolean
}

/** One answer of policy. Names of tools are left out: callers choose them. */
export interface AuditDecision {
  readonly stage: Stage
  readonly allow: boolean
  readonly reasons: readonly string[]
  readonly revision: string
  /** How often it was given in a row, as an answer streamed or tool by tool. */
  times: number
  /** The upper bound put on the answer's tokens, the model that answers instead, and how many tools were taken out. */
  readonly maxTokens?: number
  readonly model?: string
  readonly toolsRemoved?: number
}

export interface AuditFinding {
  readonly direction: 'request' | 'response'
  readonly path: string
  readonly rule: string
  readonly category: Category
  readonly start: number
  readonly end: number
  readonly score: number
  /** The score at which policy does more, or does this, about the rule; absent where policy looks at no score. */
  readonly threshold?: number
  /** Codes such as `luhn` or `decoded:base64`: why it is one. */
  readonly evidence: readonly string[]
  readonly action: Action
  /** Where the policy's answer has that action; `denied` when it denied the whole. */
  readonly by: ActionRow | 'denied'
}

export interface AuditText {
  readonly direction: 'request' | 'response'
  readonly path: string
  readonly length: number
  /** SHA-256 of the UTF-8 text as it arrived, hex. */
  readonly sha256: string
  /** SHA-256, hex, of the line that holds the encrypted text; only where content is captured. */
  readonly capture?: string
}

export interface AuditLog {
  /** Resolves when durable. Throws Refusal `guard_unavailable` when it cannot be: then nothing is served. */
  begin(entry: AuditBegin): Promise<void>
  /** Resolves when durable. Exactly one call per exchange, also for those that never began. */
  end(record: AuditRecord): Promise<void>
  unready(): string | undefined
  /** Writes a checkpoint and closes the sinks. */
  close(): Promise<void>
}

/** An automated response to a threat that began or ended, as an entry of the same log. */
export interface AuditResponse {
  readonly order: string
  readonly kind: 'revoke' | 'tighten' | 'quarantine'
  readonly step: 'began' | 'extended' | 'undone' | 'lapsed'
  /** Caller, overlay or pod, in words without a secret. */
  readonly target: Readonly<Record<string, string>>
  readonly by: string
  readonly event: string
  /** RFC 3339: until when it holds, or held. */
  readonly until: string
}

/** What a person said of a decision, on the page for people. */
export interface AuditFeedback {
  /** Id of the exchange. */
  readonly exchange: string
  /** A rule of a finding of that exchange; `none` when the decision as a whole is meant. */
  readonly rule: string
  readonly verdict: 'right' | 'wrong'
}

/** A log that takes what people say as well. */
export interface FeedbackLog {
  /** Resolves when durable. Throws Refusal `guard_unavailable` when it cannot be. */
  judge(entry: AuditFeedback): Promise<void>
}

/** A log that takes responses as well. */
export interface ResponseLog {
  /** Resolves when durable. One that cannot be written yet is kept, within bounds, and written later. */
  respond(entry: AuditResponse): Promise<void>
}
