import type { AuditLog, AuditRecord, AuditVersions } from '../core/audit.ts'
import type { Usage } from '../core/dialect.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Notes } from '../core/notes.ts'
import type { RefusalCode } from '../core/refusal.ts'
import { spanIdOf, traceFields } from '../core/trace-fields.ts'
import type { Noticed } from './behave.ts'
import { countGenAi, modelFailure } from './gen-ai.ts'

export interface RecordParts {
  readonly audit: AuditLog
  readonly engine: string
  readonly versions?: AuditVersions
  /** What was unusual about the exchange. Never throws. */
  readonly behave?: (notes: Notes) => Noticed
  readonly meter: Meter
  readonly log: Log
}

/** The last step of every exchange, however it ended: limits settled, one audit record, metrics, span. Never throws. */
export const recordStep =
  ({ audit, engine, versions = UNKNOWN, behave = () => NOTHING_NOTICED, meter, log }: RecordParts) =>
  async (notes: Notes): Promise<void> => {
    const { received, lease } = notes
    const total = performance.now() - received.startedAt
    notes.timings['total'] = total
    meter.add('postern_in_flight', -1)
    const tokens = tokensOf(notes)
    count(notes, tokens)
    countGenAi(notes)
    endSpans(notes, tokens)
    const failed = notRecorded(log, { id: received.id, ...traceFields(notes.span) })
    try {
      const noticed = behave(notes)
      // Not waited for: the answer has left, and all that the exchange holds would stay alive for as long as the disk takes. A log
      // that is closed writes what waits in it first.
      audit.end(recordOf(notes, { engine, versions, tokens, noticed })).catch(failed)
      await lease?.settle(tokens.input + tokens.output)
    } catch (cause) {
      failed(cause)
    }
  }

/** Apart from the step, so that it holds on to nothing of the exchange. */
const notRecorded =
  (log: Log, fields: Readonly<Record<string, string>>) =>
  (cause: unknown): void =>
    log.error('exchange_not_recorded', { ...fields, cause: cause as Error })

const count = (notes: Notes, tokens: Usage): void => {
  const { meter, timings, listed } = notes
  const route = notes.received.route.name
  meter.add('postern_requests_total', 1, route, `${String(notes.status)[0]}xx`, notes.outcome)
  meter.observe('postern_request_duration_seconds', (timings['total'] ?? 0) / 1000, route)
  if (timings['guard'] !== undefined) meter.observe('postern_guard_seconds', timings['guard'] / 1000, route)
  if (tokens.input > 0) meter.add('postern_tokens_total', tokens.input, listed, 'input')
  if (tokens.output > 0) meter.add('postern_tokens_total', tokens.output, listed, 'output')
}

const endSpans = (notes: Notes, tokens: Usage): void => {
  const { span, modelSpan, timings, findings, failure } = notes
  modelSpan?.set({ upstream: notes.upstream, inputTokens: tokens.input, outputTokens: tokens.output })
  modelSpan?.end(modelFailure(failure))
  const acted = findings.filter(({ action }) => action === 'redact' || action === 'block')
  span.set({
    tenant: notes.caller?.tenant ?? '',
    policyRevision: notes.policyRevision,
    reasons: notes.reasons,
    findings: findings.length,
    rules: [...new Set(acted.map(({ rule }) => rule))],
    guardrailAction: GUARDRAIL[notes.outcome],
    ...(timings['guard'] === undefined ? {} : { guardSeconds: timings['guard'] / 1000 }),
  })
  span.end({
    status: notes.status,
    outcome: notes.outcome,
    ...(failure === undefined ? {} : { error: failure }),
  })
}

const GUARDRAIL = {
  allowed: 'allow',
  redacted: 'redact',
  cut: 'block',
  refused: 'block',
  client_gone: 'allow',
  failed: 'block',
} as const satisfies Record<Notes['outcome'], string>

const NOTHING: Usage = { input: 0, output: 0 }

/**
 * What the exchange is charged. A client that hangs up early pays for what the model server may have done until then:
 * leaving before the answer must not make it free.
 */
const tokensOf = (notes: Notes): Usage => {
  const { usage, estimated, reserved, upstream, modelSpan, stream } = notes
  if (modelSpan === undefined) return NOTHING
  const unseen = LEFT_UNSEEN.has(notes.reasons[0] ?? '')
  if (upstream === '' && !unseen) return NOTHING
  if (usage === undefined) return unseen && !stream && estimated.output === 0 ? reserved : estimated
  // The counts of a stream are final when it is complete.
  if (!stream || notes.outcome === 'allowed' || notes.outcome === 'redacted') return usage
  return {
    input: Math.max(usage.input, estimated.input),
    output: Math.max(usage.output, estimated.output),
  }
}

/** Refusals after which the model server may have worked although no answer of it was read. */
const LEFT_UNSEEN: ReadonlySet<string> = new Set<RefusalCode>(['client_gone', 'model_timeout'])

const NOTHING_NOTICED: Noticed = { flags: [], tools: [], entropy: null }

const UNKNOWN: AuditVersions = { guard: '', rules: '' }

interface Known {
  readonly engine: string
  readonly versions: AuditVersions
  readonly tokens: Usage
  readonly noticed: Noticed
}

const recordOf = (notes: Notes, { engine, versions, tokens, noticed }: Known): AuditRecord => ({
  id: notes.received.id,
  time: notes.time,
  route: notes.received.route.name,
  model: notes.model,
  upstream: notes.upstream,
  caller: notes.caller ?? null,
  client: notes.received.client,
  trace: notes.span.traceId,
  span: spanIdOf(notes.span),
  stream: notes.stream,
  answered: notes.answered,
  served: notes.version ?? null,
  versions,
  policy: { engine, revision: notes.policyRevision },
  outcome: notes.outcome,
  status: notes.status,
  reasons: notes.reasons,
  decisions: notes.decisions,
  decisionsOmitted: notes.decisionsOmitted,
  findings: notes.findings,
  tools: noticed.tools,
  flags: noticed.flags,
  entropy: noticed.entropy,
  texts: notes.texts,
  uninspected: notes.uninspected,
  tokens: notes.usage === undefined ? null : tokens,
  timings: notes.timings,
})
