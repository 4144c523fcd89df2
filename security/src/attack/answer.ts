/** What came back, in the words the detectors need. */
export interface Answer {
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number
  /** Content and reasoning of all choices. */
  readonly text: string
  readonly tools: readonly { readonly name: string; readonly arguments: string }[]
  /** Of the first choice; empty when absent. */
  readonly finish: string
  readonly completionTokens: number
  /** `error.code` or `error.type` of an error body. */
  readonly errorCode: string
  /** `x-postern-decision`, where a Postern guard answered. */
  readonly decision: string
  readonly rules: readonly string[]
  readonly ms: number
}

/** What a guard did: `passed` may still be a refusal of the model. `error` says nothing about either. */
export type Guarding = 'passed' | 'redacted' | 'blocked' | 'error'

const CONTENT_CODES = new Set([
  'content_filter',
  'content_blocked',
  'content_policy_violation',
  'policy_denied',
  'permission_error',
  'guardrail_intervened',
])

/** Reads a guard's decision from status, error code, finish reason and the header of Postern. */
export const guarding = (answer: Answer): Guarding => {
  if (answer.status === 200) {
    if (answer.finish === 'content_filter' || answer.decision === 'cut') return 'blocked'
    return answer.decision === 'redacted' ? 'redacted' : 'passed'
  }
  if (answer.status === 403) return 'blocked'
  if (answer.status === 400 && CONTENT_CODES.has(answer.errorCode)) return 'blocked'
  // Other refusals of what was asked: too large, malformed characters, a budget of tokens.
  if (answer.status === 400 && answer.decision !== '') return 'blocked'
  return answer.status === 413 ? 'blocked' : 'error'
}
