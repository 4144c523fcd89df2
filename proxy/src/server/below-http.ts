import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { refusalAnswer, type Answer, type Route } from '../core/exchange.ts'
import { asRefusal, Refusal } from '../core/refusal.ts'
import type { Dispatch } from './dispatch.ts'
import { forwardable, readHead } from './head.ts'
import { parserRefusal, writeRaw } from './raw-answer.ts'
import { peerCertificate } from './tls.ts'
import type { PassThrough, UpgradePeer } from './uninspected.ts'

/** What node:http could not parse, or waited for too long. Never written into an answer that has begun. */
export const onClientError = (context: Dispatch, error: NodeJS.ErrnoException, socket: Duplex): void => {
  const speaksHttp = error.code?.startsWith('HPE_') === true || error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  if (!speaksHttp || !socket.writable || !(socket instanceof Socket)) {
    socket.destroy()
    return
  }
  const connection = context.pool.of(socket)
  if (connection.dead) return
  connection.dead = true
  if (connection.current?.begun === true) socket.destroy()
  else refuseRaw(context, socket, { refusal: parserRefusal(error), id: randomUUID() })
}

/**
 * Upgrades and CONNECT take the connection out of HTTP, so what follows cannot be inspected: refused, unless the route
 * is one that is deliberately not inspected and the client asks for a WebSocket.
 */
export const onUpgrade = (
  context: Dispatch,
  pass: PassThrough | undefined,
  peer: Omit<UpgradePeer, 'refuse'>,
): void => {
  const { socket } = peer
  socket.on('error', () => socket.destroy())
  const connection = context.pool.of(socket)
  if (connection.current !== undefined) {
    socket.destroy()
    return
  }
  connection.dead = true
  const id = randomUUID()
  let refused = false
  const refuse = (refusal: Refusal): void => {
    if (!refused) refuseRaw(context, socket, { refusal, id })
    refused = true
  }
  void upgrade(context, pass, { ...peer, id, refuse }).catch((error: unknown) => {
    refuse(asRefusal(error))
  })
}

const upgrade = async (
  context: Dispatch,
  pass: PassThrough | undefined,
  peer: UpgradePeer & { readonly id: string },
): Promise<void> => {
  const { request, socket } = peer
  const { headers, hasBody } = readHead(request, context.limits.headers, 'upgrade')
  const route = passRoute(context, request)
  const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET' && !hasBody
  if (pass === undefined || route === undefined || !isWebSocket) throw new Refusal('upgrade_refused')
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  await pass.upgrade(
    {
      id: peer.id,
      route,
      named: '',
      presented: { headers, certificate: peerCertificate(socket) },
      headers: forwardable(headers),
      client: socket.remoteAddress ?? '',
      startedAt: performance.now(),
      body: () => Promise.resolve(new Uint8Array(0)),
      signal: gone.signal,
      answer: NO_ANSWER,
    },
    peer,
  )
}

const passRoute = ({ table }: Dispatch, request: IncomingMessage): Route | undefined => {
  if (request.method === 'CONNECT') return undefined
  try {
    const route = table.match(request.method ?? '', request.url ?? '')
    return route.kind === 'uninspected' ? route : undefined
  } catch {
    return undefined
  }
}

/** Whoever authorises an upgrade refuses by throwing. */
const NO_ANSWER: Answer = {
  begun: false,
  whole: () => Promise.reject(new Error('an upgrade has no answer of its own')),
  stream: () => {
    throw new Error('an upgrade has no answer of its own')
  },
}

const refuseRaw = (
  context: Dispatch,
  socket: Socket,
  { refusal, id }: { refusal: Refusal; id: string },
): void => {
  if (refusal.code === 'guard_failed') context.log.error('edge_failed', { id, cause: refusal })
  context.meter.add('postern_refusals_total', 1, 'none', refusal.code)
  const client = socket.remoteAddress ?? ''
  context.refused({ id, route: undefined, client, refusal })
  const answer = refusalAnswer(refusal, id, context.errorShape(undefined))
  writeRaw(socket, { ...answer, headers: { 'x-request-id': id, ...answer.headers } })
}
