import type { Caller } from './caller.ts'
import type { Usage } from './dialect.ts'
import type { Action } from './policy.ts'

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
  readonly policy: { readonly engine: string; readonly revision: string }
  /** `refused` also when the model's answer was; `cut` when part of it was delivered; `client_gone` when nobody read to the end. */
  readonly outcome: 'allowed' | 'redacted' | 'cut' | 'refused' | 'failed' | 'client_gone'
  readonly status: number
  /** Refusal code, then the policy's reason codes. */
  readonly reasons: readonly string[]
  readonly findings: readonly AuditFinding[]
  readonly texts: readonly AuditText[]
  readonly uninspected: number
  readonly tokens: Usage | null
  /** Milliseconds. */
  readonly timings: Readonly<Record<string, number>>
}

export interface AuditFinding {
  readonly direction: 'request' | 'response'
  readonly path: string
  readonly rule: string
  readonly start: number
  readonly end: number
  readonly score: number
  readonly action: Action
}

export interface AuditText {
  readonly direction: 'request' | 'response'
  readonly path: string
  readonly length: number
  /** SHA-256 of the UTF-8 text as it arrived, hex. */
  readonly sha256: string
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
