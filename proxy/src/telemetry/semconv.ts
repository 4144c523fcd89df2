import type { SpanFacts } from '../core/tracing.ts'

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
  provider: 'gen_ai.provider.name',
  model: 'gen_ai.request.model',
  stream: 'gen_ai.request.stream',
  guardrailName: 'gen_ai.guardrail.name',
} as const

/** Our word for what was done, and theirs. */
export const guardrailActions = { allow: 'allow', redact: 'modify', block: 'block' } as const
