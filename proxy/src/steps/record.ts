import type { AuditLog, AuditRecord, AuditVersions } from '../core/audit.ts'
import type { Usage } from '../core/dialect.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Notes } from '../core/notes.ts'
import type { RefusalCode } from '../core/refusal.ts'

export interface RecordParts {
  readonly audit: AuditLog
  readonly engine: string
  readonly versions?: AuditVersions
  readonly meter: Meter
  readonly log: Log
}

/** The last step of every exchange, however it ended: limits settled, one audit record, metrics, span. Never throws. */
export const recordStep =
  ({ audit, engine, versions = UNKNOWN, meter, log }: RecordParts) =>
  async (notes: Notes): Promise<void> => {
    const { received, lease } = notes
    const route = received.route.name
    const total = performance.now() - received.startedAt
    notes.timings['total'] = total
    meter.add('postern_in_flight', -1)
    meter.add('postern_requests_total', 1, route, `${String(notes.status)[0]}xx`, notes.outcome)
    meter.observe('postern_request_duration_seconds', total / 1000, route)
    if (notes.timings['guard'] !== undefined)
      meter.observe('postern_guard_seconds', notes.timings['guard'] / 1000, route)
    const tokens = tokensOf(notes)
    if (tokens.input > 0) meter.add('postern_tokens_total', tokens.input, notes.listed, 'input')
    if (tokens.output > 0) meter.add('postern_tokens_total', tokens.output, notes.listed, 'output')
    notes.modelSpan?.set({ upstream: notes.upstream, inputTokens: tokens.input, outputTokens: tokens.output })
    notes.span.set({
      tenant: notes.caller?.tenant ?? '',
      reasons: notes.reasons,
      findings: notes.findings.length,
    })
    notes.span.end({ status: notes.status, outcome: notes.outcome })
    try {
      await Promise.all([
        lease?.settle(tokens.input + tokens.output),
        audit.end(recordOf(notes, { engine, versions, tokens })),
      ])
    } catch (cause) {
      log.error('exchange_not_recorded', {
        id: received.id,
        trace: notes.span.traceId,
        cause: cause as Error,
      })
    }
  }

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

const UNKNOWN: AuditVersions = { guard: '', rules: '' }

interface Known {
  readonly engine: string
  readonly versions: AuditVersions
  readonly tokens: Usage
}

/** `00-<trace>-<span>-<flags>` */
const spanOf = (traceparent: string): string => traceparent.slice(36, 52)

const recordOf = (notes: Notes, { engine, versions, tokens }: Known): AuditRecord => ({
  id: notes.received.id,
  time: notes.time,
  route: notes.received.route.name,
  model: notes.model,
  upstream: notes.upstream,
  caller: notes.caller ?? null,
  client: notes.received.client,
  trace: notes.span.traceId,
  span: spanOf(notes.span.traceparent),
  stream: notes.stream,
  answered: notes.answered,
  versions,
  policy: { engine, revision: notes.policyRevision },
  outcome: notes.outcome,
  status: notes.status,
  reasons: notes.reasons,
  decisions: notes.decisions,
  decisionsOmitted: notes.decisionsOmitted,
  findings: notes.findings,
  texts: notes.texts,
  uninspected: notes.uninspected,
  tokens: notes.usage === undefined ? null : tokens,
  timings: Object.fromEntries(
    Object.entries(notes.timings).map(([name, ms]) => [name, Math.round(ms * 1000) / 1000]),
  ),
})
