import type { PeerCertificate } from 'node:tls'
import { Client, Pool } from 'undici'
import type { Dispatcher } from 'undici'
import type { TlsOptions, UpstreamOptions } from './options.ts'
import { uriNames } from './spiffe.ts'

/** A handler that learns whether its connection served others before. */
export interface SeatedHandler extends Dispatcher.DispatchHandler {
  seat: Seat | undefined
}

/** One connection of a pool. */
export interface Seat {
  /** Requests since it was opened. */
  served: number
}

/** Throws when certificates or keys do not fit together. */
export const openPool = (options: UpstreamOptions): Pool => {
  const { pool, timeouts, tls, maxHeaderBytes } = options
  return new Pool(new URL(options.url).origin, {
    connections: pool.connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: pool.keepAliveMs,
    keepAliveMaxTimeout: pool.keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
    // Our own deadlines are exact, and a trickle of bytes does not push them on.
    headersTimeout: 0,
    bodyTimeout: 0,
    // A resumed session is not checked again: so none is resumed, and each connection proves who answers.
    maxCachedSessions: 0,
    connect: { timeout: timeouts.connectMs, ...tlsSettings(tls) },
    factory: openSeat,
  })
}

const openSeat = (origin: URL, options: object): Dispatcher => {
  const client = new Client(origin, options)
  const seat: Seat = { served: 0 }
  client.on('connect', () => {
    seat.served = 0
  })
  const dispatch = client.dispatch.bind(client)
  client.dispatch = (request, handler) => {
    if ('seat' in handler) handler.seat = seat
    return dispatch(request, handler)
  }
  return client
}

const tlsSettings = (tls: TlsOptions | undefined) => {
  const { ca, cert, key, serverName, spiffeIds } = tls ?? {}
  return {
    rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
    minVersion: 'TLSv1.2' as const,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(spiffeIds === undefined ? {} : { checkServerIdentity: spiffeCheck(new Set(spiffeIds)) }),
  }
}

/** Instead of the DNS name, which X.509 SVIDs do not have. */
const spiffeCheck =
  (allowed: ReadonlySet<string>) =>
  (_host: string, certificate: PeerCertificate): Error | undefined => {
    const [name, ...more] = uriNames(certificate.subjectaltname ?? '')
    if (name !== undefined && more.length === 0 && allowed.has(name)) return undefined
    return Object.assign(new Error('the upstream has none of the allowed SPIFFE IDs'), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  }
