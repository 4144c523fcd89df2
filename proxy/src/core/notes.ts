import type { AuditDecision, AuditFinding, AuditRecord, AuditText } from './audit.ts'
import type { AnswerSample } from './behaviour.ts'
import type { Caller } from './caller.ts'
import type { Usage } from './dialect.ts'
import type { Received } from './exchange.ts'
import type { Lease } from './limits.ts'
import type { Meter } from './metrics.ts'
import type { Obligations, PolicyAnswer, Stage } from './policy.ts'
import type { ModelVersion } from './upstream.ts'
import type { RefusalCode } from './refusal.ts'
import type { ExchangeSpan, ModelCallStart, ModelSpan } from './tracing.ts'

/**
 * What is known of one exchange so far. Every step adds what it learned, so that the record is complete wherever the
 * exchange ends. The audit record, the metrics, the span's end and the answer's headers are made of it.
 */
export interface Notes {
  readonly received: Received
  readonly span: ExchangeSpan
  /** Counts with this exchange's trace as the exemplar, when the trace is recorded. */
  readonly meter: Meter
  /** RFC 3339, UTC. */
  readonly time: string
  caller: Caller | undefined
  /** Empty until the request body was read. */
  model: string
  /** The configured name that the model falls under; empty until it is called. */
  listed: string
  /** Empty until a model server answered. */
  upstream: string
  /** The version of the model that answered, where a registry is followed. */
  version: ModelVersion | undefined
  stream: boolean
  /** The model as the model server named it; empty until it did, or when that is no plain name. */
  answered: string
  policyRevision: string
  readonly decisions: AuditDecision[]
  decisionsOmitted: number
  outcome: AuditRecord['outcome']
  status: number
  reasons: readonly string[]
  readonly findings: AuditFinding[]
  /** Names of the tools that the model was offered. */
  offered: readonly string[]
  /** Undefined until an answer of the model is read. */
  sample: AnswerSample | undefined
  readonly texts: AuditText[]
  uninspected: number
  /** As the model server reported it. */
  usage: Usage | undefined
  /** Our own reckoning, for when it does not. */
  estimated: Usage
  /** What the answer may have cost, for when nobody saw it. */
  reserved: Usage
  /** What the model was called for; empty until it is. */
  operation: ModelCallStart['operation'] | ''
  modelSpan: ModelSpan | undefined
  /** Why the exchange was refused or cut short by us, by the client or by the model server. */
  failure: RefusalCode | undefined
  lease: Lease | undefined
  /** Milliseconds by name, such as `guard`, `scan`, `model`. */
  readonly timings: Record<string, number>
}

const MAX_DECISIONS = 64

/** An answer that repeats the last one, as for every finding of a stream, is counted with it. */
export const noteDecision = (notes: Notes, stage: Stage, answer: PolicyAnswer): void => {
  const { decisions, policyRevision: revision } = notes
  const last = decisions.at(-1)
  const next = decisionOf(answer, { stage, revision })
  if (last !== undefined && isSame(last, next)) last.times += 1
  else if (decisions.length < MAX_DECISIONS) decisions.push(next)
  else notes.decisionsOmitted += 1
}

const decisionOf = (
  answer: PolicyAnswer,
  asked: { readonly stage: Stage; readonly revision: string },
): AuditDecision => {
  const { allow, reasons } = answer
  const { max_tokens: maxTokens, model, remove_tools: tools } = allow ? answer.obligations : NONE
  return {
    ...asked,
    allow,
    reasons,
    times: 1,
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(model === undefined ? {} : { model }),
    ...(tools === undefined || tools.length === 0 ? {} : { toolsRemoved: tools.length }),
  }
}

const NONE: Obligations = {}

const isSame = (a: AuditDecision, b: AuditDecision): boolean =>
  a.stage === b.stage &&
  a.allow === b.allow &&
  a.revision === b.revision &&
  a.maxTokens === b.maxTokens &&
  a.model === b.model &&
  a.toolsRemoved === b.toolsRemoved &&
  a.reasons.length === b.reasons.length &&
  a.reasons.every((reason, i) => reason === b.reasons[i])

const MAX_NAME = 128

/** The name that a model server gives its model; empty for one that could be a text. */
export const plainName = (name: string): string => {
  if (name.length > MAX_NAME) return ''
  for (let i = 0; i < name.length; i++) if (!isNamePart(name.charCodeAt(i))) return ''
  return name
}

const NAME_SIGNS = '-._:/@+'

const isNamePart = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  (code >= 65 && code <= 90) ||
  (code >= 97 && code <= 122) ||
  NAME_SIGNS.includes(String.fromCharCode(code))

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
