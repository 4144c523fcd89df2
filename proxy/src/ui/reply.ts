import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** No script but ours, no style but ours, nothing from elsewhere, in nobody's frame, and no markup made of strings by the script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  // Not no-referrer: that would take the origin away from our own forms.
  'referrer-policy': 'same-origin',
  vary: 'cookie',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

export interface Reply {
  readonly status?: number
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/** An HTML page unless the reply says otherwise. */
export const send = ({ request, response }: Exchange, reply: Reply): void => {
  const { status = 200, contentType = 'text/html; charset=utf-8', headers = {}, body } = reply
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    // What is left of a body that was not read must not be taken for the next request.
    ...(!request.complete && { connection: 'close' }),
    ...headers,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** `to` must be a path of ours. */
export const redirect = (
  exchange: Exchange,
  to: string,
  headers: Readonly<Record<string, string>> = {},
): void => send(exchange, { status: 303, headers: { ...headers, location: to }, body: '' })

export const sendJson = (exchange: Exchange, status: number, value: unknown): void =>
  send(exchange, { status, contentType: 'application/json', body: JSON.stringify(value) })
