import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, Received, Route } from '../core/exchange.ts'
import { readBody } from './body.ts'
import { forwardable, type Head } from './head.ts'
import type { ServerLimits } from './limits.ts'
import { nameIn } from './routes.ts'
import { peerCertificate } from './tls.ts'

export interface Arrival {
  readonly id: string
  readonly startedAt: number
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expects: boolean
  readonly limits: ServerLimits
}

export interface OpenReceived {
  readonly received: Received
  /** To be called when the response has closed; aborts the signal unless all was delivered. */
  closed(delivered: boolean): void
}

/** Joins what is known of a request. The body is read, and `100 Continue` sent, only when somebody asks for it. */
export const receive = (
  arrival: Arrival,
  route: Route,
  rest: { head: Head; answer: Answer },
): OpenReceived => {
  const { id, startedAt, request } = arrival
  const { head, answer } = rest
  let body: Promise<Uint8Array> | undefined
  const gone = new AbortController()
  return {
    received: {
      id,
      route,
      named: nameIn(request.url ?? '', route),
      presented: { headers: head.headers, certificate: peerCertificate(request.socket) },
      headers: forwardable(head.headers),
      client: request.socket.remoteAddress ?? '',
      startedAt,
      body: () => (body ??= head.hasBody ? startBody(arrival) : Promise.resolve(new Uint8Array(0))),
      signal: gone.signal,
      answer,
    },
    closed(delivered) {
      if (!delivered) gone.abort()
    },
  }
}

const startBody = ({ request, response, expects, limits, startedAt }: Arrival): Promise<Uint8Array> => {
  if (expects) response.writeContinue()
  return readBody(request, limits, limits.requestTimeoutMs - (performance.now() - startedAt))
}
