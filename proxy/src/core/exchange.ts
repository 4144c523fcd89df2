import type { Presented } from './caller.ts'
import type { ErrorShape } from './dialect.ts'
import { refusals, type Refusal } from './refusal.ts'

/**
 * One row of the route table. A request belongs to a route only when method and path are spelled exactly so; where `named` says so,
 * a name follows the path.
 */
export interface Route {
  readonly name: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Whether the target is `path` and a name after it, which is never empty. */
  readonly named?: boolean
  readonly kind: 'dialect' | 'models' | 'auth' | 'token' | 'jwks' | 'health' | 'uninspected'
  /** Name of the dialect; undefined for a route that speaks none. */
  readonly dialect: string | undefined
  /** The only body the route takes. `any` is for uninspected routes. */
  readonly body: 'none' | 'json' | 'form' | 'any'
  /** Query keys that a client may send. They are checked, never read and never forwarded. */
  readonly query: readonly string[]
  readonly inspect: boolean
}

/** One request as the pipeline sees it: the head was checked, the body is still on the wire. */
export interface Received {
  /** 128 bits of randomness as text, made here and never taken from the client. */
  readonly id: string
  readonly route: Route
  /** What follows the path of a `named` route, as the client spelled it; otherwise empty. */
  readonly named: string
  readonly presented: Presented
  /** The client's headers that may go to a model server, lower case: none of them is a credential. */
  readonly headers: Readonly<Record<string, string>>
  /** Address of the peer of the connection, never one that a header claims. */
  readonly client: string
  /** `performance.now()` when the head had arrived. */
  readonly startedAt: number
  /**
   * The whole body, bounded in bytes, in pieces and in time. Every call returns the same promise.
   * Throws Refusal `body_too_large`, `body_invalid`, `request_timeout` or `client_gone`.
   */
  body(): Promise<Uint8Array>
  /** Aborts when the client has gone or the connection was cut before the answer was complete. */
  readonly signal: AbortSignal
  readonly answer: Answer
}

export interface Answer {
  /** True once a status is on its way: from then on only this answer can follow. */
  readonly begun: boolean
  /** Resolves when the answer is handed to the kernel. Throws Refusal `client_gone`. Headers off the allow-list are left out. */
  whole(status: number, headers: Readonly<Record<string, string>>, body: string | Uint8Array): Promise<void>
  stream(status: number, headers: Readonly<Record<string, string>>): StreamAnswer
}

export interface StreamAnswer {
  /** Resolves when more may be written. Throws Refusal `client_gone`, also for a client that stops reading. */
  write(text: string): Promise<void>
  /** Resolves when the last byte is handed to the kernel. Throws Refusal `client_gone`. */
  end(): Promise<void>
  /** Cuts the connection, so that the stream looks cut. */
  destroy(): void
}

/** A refusal as an answer: the dialect's own error body, and the headers that its clients obey. */
export const refusalAnswer = (
  refusal: Refusal,
  id: string,
  shape: ErrorShape,
): { status: number; headers: Readonly<Record<string, string>>; body: string } => ({
  status: refusal.status,
  headers: {
    'content-type': 'application/json',
    'x-should-retry': String(refusals[refusal.code].retry),
    ...refusal.headers,
  },
  body: JSON.stringify(shape(refusal, id)),
})
