import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Refusal, type RefusalCode } from '../core/refusal.ts'

/** Time for the client to read an answer that is written below HTTP, before the connection is cut. */
const LINGER_MS = 500

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Writes one complete answer to a socket that HTTP no longer owns, and closes it. */
export const writeRaw = (socket: Duplex, { status, headers, body }: RawAnswer): void => {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.resume()
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

/** What node:http's parser or timers found wrong, as a refusal. */
export const parserRefusal = (error: NodeJS.ErrnoException): Refusal => {
  const [code, status, detail] = PARSER_ERRORS[error.code ?? ''] ?? MALFORMED
  return new Refusal(code, { cause: error, status, details: [detail] })
}

const MALFORMED = ['headers_invalid', 400, 'malformed HTTP'] as const

const PARSER_ERRORS: Readonly<Record<string, readonly [RefusalCode, number, string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_invalid', 431, 'the headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body_too_large', 413, 'the chunk extensions are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 408, 'the request did not arrive in time'],
}
