import { Refusal, type RefusalCode } from '../core/refusal.ts'

/** How an attempt ended: the `result` label of postern_upstream_requests_total. */
export type Result =
  | 'ok'
  /** The upstream answered with a status of 4xx or 5xx. */
  | 'refused'
  | 'error'
  | 'connect_failed'
  | 'reset'
  | 'timeout'
  | 'invalid'
  /** The answer broke off in its body. */
  | 'cut'
  /** Nobody wanted it any more. */
  | 'aborted'
  /** No connection was free. */
  | 'saturated'

/** `again`: the call surely had no effect, so another upstream may be asked. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed'
  readonly refusal: Refusal
  readonly result: Result
  readonly again: boolean

  constructor(result: Result, refusal: Refusal, again = false) {
    super(result, { cause: refusal })
    this.result = result
    this.refusal = refusal
    this.again = again
  }
}

/** How far an attempt had come. */
export interface Progress {
  readonly phase: 'waiting' | 'sent' | 'answering' | 'body'
  /** The connection had already served another request. */
  readonly reused: boolean
  /** Milliseconds since the request was written. */
  readonly sentMs: number
}

/**
 * A server that closed an idle connection answers our bytes with a reset within a round trip. A later reset may mean
 * that the model had begun, and a POST must not be done twice.
 */
const STALE_CONNECTION_MS = 200

export const failure = (error: Error, { phase, reused, sentMs }: Progress): AttemptFailed => {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (phase === 'waiting') return failed('connect_failed', 'model_unavailable', error, true)
  if (phase === 'body')
    return isInvalid(code, error) ? invalid(error) : failed('cut', 'model_unavailable', error)
  // Before the body, a length that does not match is one that was sent twice or beside chunks.
  if (isInvalid(code, error) || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return invalid(error)
  const stale = phase === 'sent' && reused && sentMs < STALE_CONNECTION_MS && isReset(code)
  return failed('reset', 'model_unavailable', error, stale)
}

export const invalid = (cause: Error): AttemptFailed => failed('invalid', 'model_answer_invalid', cause)

export const timedOut = (what: string): AttemptFailed =>
  failed('timeout', 'model_timeout', new Error(`upstream deadline: ${what}`))

export const noConnection = (): AttemptFailed =>
  failed('saturated', 'model_unavailable', new Error('no upstream connection was free'), true)

export const abandoned = (reason: unknown): AttemptFailed =>
  new AttemptFailed(
    'aborted',
    reason instanceof Refusal ? reason : new Refusal('client_gone', { cause: reason }),
  )

const failed = (result: Result, code: RefusalCode, ...[cause, again]: [Error, boolean?]): AttemptFailed =>
  new AttemptFailed(result, new Refusal(code, { cause }), again)

/** The end of the connection in mid-answer is a loss; any other word of the parser is a protocol that is none. */
const isInvalid = (code: string, error: Error): boolean =>
  code === 'UND_ERR_HEADERS_OVERFLOW' ||
  code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' ||
  (error.name === 'HTTPParserError' && !error.message.includes('Invalid EOF state')) ||
  (code === 'UND_ERR_SOCKET' && error.message.startsWith('bad '))

const isReset = (code: string): boolean =>
  code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET'
