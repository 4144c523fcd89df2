import type { AuditFinding, AuditRecord, AuditText } from './audit.ts'
import type { Caller } from './caller.ts'
import type { Usage } from './dialect.ts'
import type { Received } from './exchange.ts'
import type { Lease } from './limits.ts'
import type { ExchangeSpan, ModelSpan } from './tracing.ts'

/**
 * What is known of one exchange so far. Every step adds what it learned, so that the record is complete wherever the
 * exchange ends. The audit record, the metrics, the span's end and the answer's headers are made of it.
 */
export interface Notes {
  readonly received: Received
  readonly span: ExchangeSpan
  /** RFC 3339, UTC. */
  readonly time: string
  caller: Caller | undefined
  /** Empty until the request body was read. */
  model: string
  /** The configured name that the model falls under; empty until it is called. */
  listed: string
  /** Empty until a model server answered. */
  upstream: string
  stream: boolean
  policyRevision: string
  outcome: AuditRecord['outcome']
  status: number
  reasons: readonly string[]
  readonly findings: AuditFinding[]
  readonly texts: AuditText[]
  uninspected: number
  /** As the model server reported it. */
  usage: Usage | undefined
  /** Our own reckoning, for when it does not. */
  estimated: Usage
  /** What the answer may have cost, for when nobody saw it. */
  reserved: Usage
  modelSpan: ModelSpan | undefined
  lease: Lease | undefined
  /** Milliseconds by name, such as `guard`, `scan`, `model`. */
  readonly timings: Record<string, number>
}

/** From here on the exchange counts as changed by the guard, unless something graver is known already. */
export const noteOutcome = (notes: Notes, outcome: AuditRecord['outcome']): void => {
  if (GRAVITY[outcome] > GRAVITY[notes.outcome]) notes.outcome = outcome
}

const GRAVITY: Record<AuditRecord['outcome'], number> = {
  allowed: 0,
  redacted: 1,
  cut: 2,
  refused: 3,
  client_gone: 4,
  failed: 5,
}
