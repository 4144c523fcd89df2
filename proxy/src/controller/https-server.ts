import { constants } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { Socket, type AddressInfo } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import type { Log } from '../core/log.ts'
import { shares, type Shares } from './shares.ts'

export interface Asked {
  /** Of the client, or of the node that it is behind. */
  readonly address: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Aborted when the client leaves, and when the server ends: then answer at once. */
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes with their own `content-type`, or JSON. */
  readonly body?: Uint8Array | Readonly<Record<string, unknown>>
}

export interface Route {
  /** Bytes. */
  readonly maxBody: number
  readonly handle: (asked: Asked) => Answer | Promise<Answer>
}

export interface HttpsServerOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  readonly material: { readonly cert: string; readonly key: string }
  /** By method and path, such as `POST /inject`. A query is ignored: the API server adds its timeout. */
  readonly routes: Readonly<Record<string, Route>>
  readonly log: Log
}

export interface HttpsServer {
  readonly address: AddressInfo
  /** For new connections. Throws when the two do not fit; the old ones stay. */
  setCertificate(material: HttpsServerOptions['material']): void
  /** Takes no more, finishes what runs (a long poll at once), and cuts what is left after the deadline in milliseconds. */
  close(deadlineMs: number): Promise<void>
}

/** Bytes of bodies at a time. Clients are not known before their bodies are read, so no pod may have so many that the API server has none. */
const BODIES = { all: 64 * 1024 * 1024, each: 16 * 1024 * 1024 }
/** A pod keeps two or three; addresses of nodes, behind which there are many pods, come with some networks. */
const CONNECTIONS = { all: 8192, each: 1024 }

/** HTTPS with TLS 1.2 or later, bounded in time, connections and memory. Errors in a handler are 500 and a log line without content. */
export const httpsServer = async (options: HttpsServerOptions): Promise<HttpsServer> => {
  const ending = new AbortController()
  const bodies = shares(BODIES)
  const server = createServer(
    {
      ...secure(options.material),
      maxHeaderSize: 16_384,
      headersTimeout: 5000,
      requestTimeout: 15_000,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: 1000,
      handshakeTimeout: 5000,
    },
    (request, response) => void serve({ request, response, options, ending: ending.signal, bodies }),
  )
  const connections = shares(CONNECTIONS)
  server.on('connection', (socket) => {
    const address = socket instanceof Socket ? (socket.remoteAddress ?? '') : ''
    if (connections.take(address, 1)) socket.once('close', () => connections.give(address, 1))
    else socket.destroy()
  })
  server.on('upgrade', (_request, socket) => socket.destroy())
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: options.host, port: options.port }, resolve)
  })
  return {
    address: server.address() as AddressInfo,
    setCertificate: (material) => server.setSecureContext(secure(material)),
    close: async (deadlineMs) => {
      ending.abort()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), deadlineMs)
      await closed
      clearTimeout(timer)
    },
  }
}

const secure = ({ cert, key }: HttpsServerOptions['material']): SecureContextOptions => ({
  cert,
  key,
  minVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
})

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly options: HttpsServerOptions
  readonly ending: AbortSignal
  readonly bodies: Shares
}

const serve = async (exchange: Exchange): Promise<void> => {
  const { request, response, ending, options } = exchange
  const left = new AbortController()
  response.once('close', () => left.abort())
  let answer: Answer
  try {
    answer = await answerTo(exchange, AbortSignal.any([left.signal, ending]))
  } catch (cause) {
    if (left.signal.aborted) return
    options.log.error('request_failed', { cause: cause as Error })
    answer = { status: 500, body: { error: 'the controller failed; its log says more' } }
  }
  if (response.destroyed) return
  const bytes = answer.body instanceof Uint8Array ? answer.body : jsonBytes(answer.body)
  // What was not read would be taken for the next request.
  const last = ending.aborted || !request.complete
  response.writeHead(answer.status, {
    ...(!(answer.body instanceof Uint8Array) &&
      bytes !== undefined && { 'content-type': 'application/json' }),
    ...(answer.status !== 304 && { 'content-length': bytes?.length ?? 0 }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(last && { connection: 'close' }),
    ...answer.headers,
  })
  response.end(bytes)
}

const jsonBytes = (body: Readonly<Record<string, unknown>> | undefined): Buffer | undefined =>
  body === undefined ? undefined : Buffer.from(JSON.stringify(body))

const answerTo = async (exchange: Exchange, signal: AbortSignal): Promise<Answer> => {
  const { request, options, bodies } = exchange
  const { routes } = options
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  const name = `${request.method ?? ''} ${path}`
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined) {
    const known = Object.keys(routes).some((one) => one.endsWith(` ${path}`))
    return known
      ? { status: 405, body: { error: 'this path does not take this method' } }
      : { status: 404, body: { error: 'there is no such path' } }
  }
  // A socket that has ended has no address any more.
  const address = request.socket.remoteAddress ?? ''
  const body = await readBody(request, route.maxBody, { bodies, address })
  if (typeof body === 'number')
    return {
      status: body,
      body: { error: body === 413 ? 'the body is too large' : 'too much at once; try again' },
    }
  try {
    return await route.handle({ headers: request.headers, address, body, signal })
  } finally {
    bodies.give(address, body.length)
  }
}

/** The body, or the status to refuse it with. Its length is held until the answer is there. */
const readBody = async (
  request: IncomingMessage,
  max: number,
  { bodies, address }: { readonly bodies: Shares; readonly address: string },
): Promise<Buffer | number> => {
  if (Number(request.headers['content-length'] ?? 0) > max) return 413
  const chunks: Buffer[] = []
  let length = 0
  const giveUp = (status: number): number => {
    bodies.give(address, length)
    return status
  }
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (length + chunk.length > max) return giveUp(413)
      if (!bodies.take(address, chunk.length)) return giveUp(503)
      length += chunk.length
      chunks.push(chunk)
    }
  } catch (error) {
    giveUp(0)
    throw error
  }
  return Buffer.concat(chunks, length)
}
