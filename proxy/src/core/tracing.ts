import type { TraceRef } from './metrics.ts'

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
  /** The client's header as it came; passed on when it and `traceparent` are valid. */
  readonly tracestate?: string | undefined
  /** `performance.now()` when the request had arrived. */
  readonly startedAt?: number
}

/** The server span of one exchange. After `end` every call is without effect. */
export interface ExchangeSpan {
  /** 32 hex digits; also there when tracing is off. */
  readonly traceId: string
  /** The header to send on when there is no span of the model call. */
  readonly traceparent: string
  /** The header to send on; undefined when the client sent none that is valid. */
  readonly tracestate: string | undefined
  /** This span, when it will reach the collector. */
  readonly recorded: TraceRef | undefined
  set(facts: SpanFacts): void
  modelCall(call: ModelCallStart): ModelSpan
  /** Work of the guard that has ended, as a child span. Does nothing when the trace is not recorded. */
  work(work: GuardWork): void
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
  /** Marks a moment of a stream; `at` is `performance.now()` then. */
  mark(moment: StreamMoment, at: number): void
  /** `error` is a refusal code or another name from a closed set; absent when the call went well. */
  end(error?: string): void
}

/** In the order in which they come: from the model, and out of the guard. */
export type StreamMoment = 'first_chunk' | 'first_text_in' | 'first_text_out'

export interface GuardWork {
  readonly name: 'guard request' | 'guard response'
  /** `performance.now()`. */
  readonly from: number
  readonly to: number
  readonly facts: SpanFacts
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
  readonly firstTextAddedSeconds?: number
  readonly heldCharacters?: number
  readonly inputTokens?: number
  readonly outputTokens?: number
}
