/** Makes one span per exchange. Never throws, never waits; costs next to nothing when tracing is off. */
export interface Tracer {
  start(exchange: ExchangeStart): ExchangeSpan
  /** Sends what is still queued, within a deadline, and stops. Never rejects. */
  close(): Promise<void>
}

export interface ExchangeStart {
  /** The exchange's id, as in the audit log. */
  readonly id: string
  /** Name in the route table; also names the span. */
  readonly route: string
  readonly method: string
  /** The client's header as it came, or undefined; joined when it is valid, else ignored. */
  readonly traceparent: string | undefined
}

/** The server span of one exchange. After `end` every call is without effect. */
export interface ExchangeSpan {
  /** 32 hex digits; also there when tracing is off. */
  readonly traceId: string
  /** The header to send on when there is no span of the model call. */
  readonly traceparent: string
  set(facts: SpanFacts): void
  modelCall(call: ModelCallStart): ModelSpan
  /** Only the first call counts. Ends the model span too when it still runs. */
  end(outcome: SpanOutcome): void
}

export interface ModelCallStart {
  /** `gen_ai.operation.name`. */
  readonly operation: 'chat' | 'text_completion' | 'embeddings'
  readonly model: string
  readonly stream: boolean
}

/** The client span of one call to a model server. */
export interface ModelSpan {
  /** The `traceparent` header for the model server. */
  readonly traceparent: string
  set(facts: SpanFacts): void
  /** `error` is a refusal code or another name from a closed set; absent when the call went well. */
  end(error?: string): void
}

export interface SpanOutcome {
  readonly status: number
  /** `AuditRecord.outcome`. */
  readonly outcome: string
  /** Refusal code. */
  readonly error?: string
}

/** What a span may say. No field can hold text of the exchange; strings are cut at 256 characters, lists at 32 entries. */
export interface SpanFacts {
  readonly tenant?: string
  readonly policyRevision?: string
  readonly reasons?: readonly string[]
  readonly findings?: number
  readonly rules?: readonly string[]
  readonly guardrailAction?: 'allow' | 'redact' | 'block'
  readonly guardSeconds?: number
  readonly upstream?: string
  readonly serverAddress?: string
  readonly serverPort?: number
  readonly requestMaxTokens?: number
  readonly responseId?: string
  readonly responseModel?: string
  readonly finishReasons?: readonly string[]
  readonly firstChunkSeconds?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
}
