/** Every refusal a client can see. `retry` becomes the `x-should-retry` header that the OpenAI and Anthropic clients obey. */
export const refusals = {
  headers_invalid: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    message: 'A request header is malformed, doubled or not allowed.',
  },
  body_invalid: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    message: 'The request body is not valid for this route.',
  },
  content_blocked: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    message: 'The content was blocked by policy.',
  },
  unauthenticated: {
    status: 401,
    type: 'authentication_error',
    retry: false,
    message: 'No valid credential was presented.',
  },
  policy_denied: {
    status: 403,
    type: 'permission_error',
    retry: false,
    message: 'Policy does not allow this request.',
  },
  route_unknown: {
    status: 404,
    type: 'not_found_error',
    retry: false,
    message: 'There is no such route. Paths must be spelled exactly.',
  },
  model_unknown: {
    status: 404,
    type: 'not_found_error',
    retry: false,
    message: 'There is no such model, or it is not for this caller.',
  },
  method_not_allowed: {
    status: 405,
    type: 'invalid_request_error',
    retry: false,
    message: 'This route does not take this method.',
  },
  request_timeout: {
    status: 408,
    type: 'invalid_request_error',
    retry: true,
    message: 'The request did not arrive in time.',
  },
  body_too_large: {
    status: 413,
    type: 'invalid_request_error',
    retry: false,
    message: 'The request body is larger than this guard accepts.',
  },
  media_type_unsupported: {
    status: 415,
    type: 'invalid_request_error',
    retry: false,
    message: 'Send application/json in UTF-8, without a content coding.',
  },
  upgrade_refused: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    message: 'Protocol upgrades are refused: their content cannot be inspected.',
  },
  rate_limited: { status: 429, type: 'rate_limit_error', retry: true, message: 'Too many requests.' },
  budget_spent: {
    status: 429,
    type: 'rate_limit_error',
    retry: false,
    message: 'The token budget is spent.',
  },
  client_gone: {
    status: 499,
    type: 'invalid_request_error',
    retry: false,
    message: 'The client closed the connection.',
  },
  model_refused: {
    status: 400,
    type: 'invalid_request_error',
    retry: false,
    message: 'The model server refused the request.',
  },
  model_answer_invalid: {
    status: 502,
    type: 'api_error',
    retry: true,
    message: 'The model server sent an answer that cannot be inspected.',
  },
  model_unavailable: {
    status: 503,
    type: 'api_error',
    retry: true,
    message: 'The model server failed or cannot be reached.',
  },
  model_timeout: {
    status: 504,
    type: 'api_error',
    retry: false,
    message: 'The model server did not answer in time.',
  },
  guard_unavailable: {
    status: 503,
    type: 'api_error',
    retry: true,
    message: 'The guard cannot check requests at the moment.',
  },
  guard_failed: {
    status: 503,
    type: 'api_error',
    retry: true,
    message: 'The guard could not check this request.',
  },
} as const satisfies Record<string, RefusalRow>

interface RefusalRow {
  readonly status: number
  readonly type: string
  readonly retry: boolean
  readonly message: string
}

export type RefusalCode = keyof typeof refusals

export const isRefusalCode = (code: string): code is RefusalCode => Object.hasOwn(refusals, code)

export interface RefusalOptions {
  /** The failure behind it. For the log and the trace; never shown to the client. */
  readonly cause?: unknown
  /** Short facts for the client: a JSON pointer, a limit, a reason code. Never text of the exchange, never a credential. */
  readonly details?: readonly string[]
  /** Extra response headers, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Instead of the table's status: for answers of the model server that are passed on. */
  readonly status?: number
}

/** The only error that a client can see. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly status: number
  readonly details: readonly string[]
  readonly headers: Readonly<Record<string, string>>

  constructor(code: RefusalCode, options: RefusalOptions = {}) {
    super(refusals[code].message, { cause: options.cause })
    this.code = code
    this.status = options.status ?? refusals[code].status
    this.details = options.details ?? []
    this.headers = options.headers ?? {}
  }
}

/** Our own code failing is a refusal too: never a crash, never a yes. */
export const asRefusal = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal('guard_failed', { cause: error })

/** Why an exchange was ended from outside: an order's own refusal, or a client that has gone. Undefined while it may go on. */
export const endedBy = ({ aborted, reason }: AbortSignal): Refusal | undefined =>
  !aborted ? undefined : reason instanceof Refusal ? reason : new Refusal('client_gone', { cause: reason })
