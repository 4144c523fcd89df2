import type { genAiMetrics } from '../core/gen-ai-metrics.ts'
import type { SpanFacts, StreamMoment } from '../core/tracing.ts'

/**
 * Every attribute name there is. The GenAI names follow open-telemetry/semantic-conventions-genai, where nothing is
 * stable yet: a change there is a change of this table and of nothing else.
 */
export const factNames = {
  tenant: 'postern.tenant',
  policyRevision: 'postern.policy.revision',
  reasons: 'postern.reasons',
  findings: 'postern.findings',
  guardSeconds: 'postern.guard.duration',
  upstream: 'postern.upstream',
  rules: 'postern.rules',
  guardrailAction: 'gen_ai.guardrail.action.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  firstChunkSeconds: 'gen_ai.response.time_to_first_chunk',
  firstTextAddedSeconds: 'postern.stream.first_text_added',
  heldCharacters: 'postern.stream.held_characters',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
} as const satisfies Record<keyof SpanFacts, string>

/** Draft names (pull request 427 there), sent only when `guardrailAttributes` is on. */
export const draftFacts: ReadonlySet<keyof SpanFacts> = new Set(['guardrailAction'])

/** What the spans themselves say. */
export const spanNames = {
  exchangeId: 'postern.exchange.id',
  outcome: 'postern.outcome',
  route: 'http.route',
  method: 'http.request.method',
  status: 'http.response.status_code',
  error: 'error.type',
  operation: 'gen_ai.operation.name',
  model: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  guardrailName: 'gen_ai.guardrail.name',
} as const

/** Which version of the GenAI conventions is spoken where a name changed, as `OTEL_SEMCONV_STABILITY_OPT_IN` chooses elsewhere. */
export type GenAiNames = 'latest' | 'v1.36' | 'both'

/** The one name in use here that changed since version 1.36. */
export const providerNames = {
  latest: ['gen_ai.provider.name'],
  'v1.36': ['gen_ai.system'],
  both: ['gen_ai.provider.name', 'gen_ai.system'],
} as const satisfies Record<GenAiNames, readonly string[]>

/** Events of the span of a streamed model call. */
export const momentNames = {
  first_chunk: 'postern.first_chunk',
  first_text_in: 'postern.first_text_in',
  first_text_out: 'postern.first_text_out',
} as const satisfies Record<StreamMoment, string>

/** What the metrics of the conventions are called in OTLP; at `/metrics` they have the names on the left. */
export const genAiMetricNames = {
  gen_ai_client_operation_duration_seconds: { name: 'gen_ai.client.operation.duration', unit: 's' },
  gen_ai_client_operation_time_to_first_chunk_seconds: {
    name: 'gen_ai.client.operation.time_to_first_chunk',
    unit: 's',
  },
  gen_ai_client_token_usage: { name: 'gen_ai.client.token.usage', unit: '{token}' },
  gen_ai_server_request_duration_seconds: { name: 'gen_ai.server.request.duration', unit: 's' },
  gen_ai_server_time_to_first_token_seconds: { name: 'gen_ai.server.time_to_first_token', unit: 's' },
} as const satisfies Record<keyof typeof genAiMetrics, { readonly name: string; readonly unit: string }>

/** Their labels; Prometheus has no dots. */
export const genAiLabelNames = {
  gen_ai_operation_name: 'gen_ai.operation.name',
  gen_ai_request_model: 'gen_ai.request.model',
  gen_ai_token_type: 'gen_ai.token.type',
  error_type: 'error.type',
} as const satisfies Record<(typeof genAiMetrics)[keyof typeof genAiMetrics]['labels'][number], string>

/** Our word for what was done, and theirs. */
export const guardrailActions = { allow: 'allow', redact: 'modify', block: 'block' } as const
