import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import { Socket, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { ErrorShape } from '../core/dialect.ts'
import type { Received, Route } from '../core/exchange.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { onClientError, onUpgrade } from './below-http.ts'
import { connections, type Connections } from './connections.ts'
import { dispatcher, type Dispatch, type EdgeRefusal } from './dispatch.ts'
import type { ServerLimits } from './limits.ts'
import { routeTable } from './routes.ts'
import { secureContext, showsBadCertificate, type ClientAuth, type TlsMaterial } from './tls.ts'
import { passThrough, type PassThrough, type Uninspected } from './uninspected.ts'

export interface ServerOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  readonly limits: ServerLimits
  readonly routes: readonly Route[]
  readonly tls?: { readonly material: TlsMaterial; readonly clientAuth: ClientAuth } | undefined
  readonly drain: {
    /** Milliseconds in which new requests are still taken while the load balancer forgets us. */
    readonly graceMs: number
    /** Milliseconds from the start of the drain after which what still runs is cut. */
    readonly deadlineMs: number
  }
  /** How the API family of a route writes an error; undefined for a request that found no route. */
  readonly errorShape: (route: Route | undefined) => ErrorShape
  readonly refused?: ((refused: EdgeRefusal) => void) | undefined
  /** Whether nobody is served here for now: then each answer ends its connection, so that clients come to another replica. */
  readonly turnsAway?: (() => boolean) | undefined
  /** Needed when a route says `inspect: false`. */
  readonly uninspected?: Uninspected | undefined
}

export interface Server {
  readonly address: AddressInfo
  readonly draining: boolean
  /** Takes effect for new handshakes; connections of the old material end with their next answer. Throws and keeps the old when it is bad. */
  setTls(material: TlsMaterial): void
  /** Ends the connections that there are: idle ones now, others with the answer that runs. */
  retire(): void
  /** Stops gently: keeps accepting for the grace time, then waits for what runs until the deadline. Later calls join the first. */
  drain(): Promise<void>
  /** Stops accepting now, waits `deadlineMs` for what runs, then cuts it. */
  close(deadlineMs: number): Promise<void>
}

export type Handler = (received: Received) => Promise<void>

/** Listens. Rejects when it cannot. */
export const server = async (
  options: ServerOptions,
  handler: Handler,
  { meter, log }: { readonly meter: Meter; readonly log: Log },
): Promise<Server> => {
  const state = { draining: false }
  const pool = connections(options.limits, meter)
  const pass = await passThrough(options, { meter, log })
  const context: Dispatch = {
    limits: options.limits,
    table: routeTable(options.routes),
    pool,
    errorShape: options.errorShape,
    closing: () => state.draining || options.turnsAway?.() === true,
    serve: (received, arrival) =>
      received.route.kind === 'uninspected' && pass !== undefined
        ? pass.request(received, arrival)
        : handler(received),
    refused: options.refused ?? (() => undefined),
    meter,
    log,
  }
  const listener =
    options.tls === undefined ? createServer(settings(options)) : tlsListener(options, options.tls)
  wire(listener, context, pass)
  await listen(listener, options)
  return running({ listener, pool, options, state })
}

const settings = ({ limits }: ServerOptions) => ({
  maxHeaderSize: limits.headerBytes,
  headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
  // Reading the body has the same deadline and a better answer; this is the net for a body that nobody reads.
  requestTimeout: limits.requestTimeoutMs + 2 * limits.checkIntervalMs,
  keepAliveTimeout: limits.keepAliveMs,
  connectionsCheckingInterval: limits.checkIntervalMs,
  insecureHTTPParser: false,
  requireHostHeader: false,
  joinDuplicateHeaders: false,
  noDelay: true,
})

const tlsListener = (options: ServerOptions, tls: NonNullable<ServerOptions['tls']>): HttpsServer => {
  if (tls.clientAuth !== 'off' && tls.material.clientCa === undefined)
    throw new Error('client certificates need a client CA: without one every public CA would be trusted')
  return createTlsServer({
    ...settings(options),
    ...secureContext(tls.material),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.limits.handshakeTimeoutMs,
    requestCert: tls.clientAuth !== 'off',
    rejectUnauthorized: tls.clientAuth === 'required',
  })
}

const wire = (listener: HttpServer | HttpsServer, context: Dispatch, pass: PassThrough | undefined): void => {
  const { limits, pool } = context
  // node:http drops headers above its own count without a word: leave it room to let us see that there are too many.
  listener.maxHeadersCount = limits.headers + 1
  listener.maxRequestsPerSocket = limits.requestsPerConnection
  const speaks = (socket: Socket): void => {
    if (socket instanceof TLSSocket && showsBadCertificate(socket)) socket.destroy()
    else socket.setTimeout(limits.firstByteTimeoutMs)
  }
  listener.on('connection', (socket: Socket) => {
    if (pool.admit(socket) && !('setSecureContext' in listener)) speaks(socket)
  })
  listener.on('secureConnection', speaks)
  listener.on('request', dispatcher(context, false))
  listener.on('checkContinue', dispatcher(context, true))
  listener.on('checkExpectation', dispatcher(context, false))
  listener.on('clientError', (error: Error, socket: Duplex) => onClientError(context, error, socket))
  const leave = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (socket instanceof Socket) onUpgrade(context, pass, { request, socket, head })
    else socket.destroy()
  }
  listener.on('upgrade', leave)
  listener.on('connect', leave)
}

const listen = (listener: HttpServer | HttpsServer, { host, port }: ServerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen({ host, port }, () => {
      listener.off('error', reject)
      resolve()
    })
  })

interface Running {
  readonly listener: HttpServer | HttpsServer
  readonly pool: Connections
  readonly options: ServerOptions
  readonly state: { draining: boolean }
}

const running = ({ listener, pool, options, state }: Running): Server => {
  let drained: Promise<void> | undefined
  let trusted = options.tls?.material
  const close = async (deadlineMs: number): Promise<void> => {
    state.draining = true
    pool.retire(() => true)
    await stop(listener, pool, deadlineMs)
  }
  const drain = async (): Promise<void> => {
    const { graceMs, deadlineMs } = options.drain
    state.draining = true
    await sleep(graceMs)
    await close(Math.max(0, deadlineMs - graceMs))
  }
  return {
    address: listener.address() as AddressInfo,
    get draining() {
      return state.draining
    },
    setTls(material) {
      if (!('setSecureContext' in listener)) throw new Error('this listener has no TLS')
      listener.setSecureContext(secureContext(material))
      const trustChanged = material.clientCa !== trusted?.clientCa || material.crl !== trusted?.crl
      trusted = material
      // Who is known by a certificate was judged by trust that is gone; the others lose no request.
      pool.retire((socket) => trustChanged && showedCertificate(socket))
    },
    retire: () => pool.retire(() => true),
    drain: () => (drained ??= drain()),
    close,
  }
}

const showedCertificate = (socket: Socket): boolean =>
  socket instanceof TLSSocket && socket.getPeerX509Certificate() !== undefined

/** Resolves when the last connection has closed; those that are still open at the deadline are cut. */
const stop = (listener: HttpServer | HttpsServer, pool: Connections, deadlineMs: number): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => pool.destroyAll(), deadlineMs)
    listener.close(() => {
      clearTimeout(cut)
      pool.stop()
      resolve()
    })
    listener.closeIdleConnections()
  })

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
