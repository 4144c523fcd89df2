import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ServerOptions as ProxyOptions } from 'http-proxy'
import type { Received, Route } from '../core/exchange.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import type { ServerLimits } from './limits.ts'
import type { Arrival } from './receive.ts'

/** What routes with `inspect: false` need. */
export interface Uninspected {
  /** Identifies the caller and asks the policy. Throws a Refusal: nothing passes without it. */
  authorize(received: Received): Promise<void>
  /** By route name. */
  readonly upstreams: Readonly<Record<string, UninspectedUpstream>>
}

export interface UninspectedUpstream {
  /** The whole URL: neither path nor query of the client is used. */
  readonly url: string
  /** The upstream's own credential, added to what is sent. */
  readonly headers: Readonly<Record<string, string>>
  /** PEM, instead of the public CAs. */
  readonly ca?: string | undefined
  /** Milliseconds without a byte in either direction. */
  readonly idleTimeoutMs: number
}

export interface PassThrough {
  request(received: Received, arrival: Arrival): Promise<void>
  /** Throws a Refusal as long as nothing was written to the socket, and resolves when the socket has closed. */
  upgrade(received: Received, peer: UpgradePeer): Promise<void>
}

export interface UpgradePeer {
  readonly request: IncomingMessage
  readonly socket: Socket
  /** Bytes that came behind the request. */
  readonly head: Buffer
  /** Answers below HTTP; at once, because http-proxy ends the socket after it reported an error. */
  readonly refuse: (refusal: Refusal) => void
}

const MARK = 'x-postern-inspected'
const TO_UPSTREAM = [
  'accept',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
] as const
const UPGRADE_TO_UPSTREAM = [
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
] as const
const TO_CLIENT = ['content-type', 'content-length', 'content-encoding', 'retry-after'] as const
const UPGRADE_TO_CLIENT = [
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
] as const

/**
 * Passes requests and WebSocket upgrades through http-proxy, unread, counted and marked. Headers are allow-listed in
 * both directions and the caller's credential stays here. Undefined, and http-proxy not loaded, when no route asks for it.
 */
export const passThrough = async (
  options: { routes: readonly Route[]; limits: ServerLimits; uninspected?: Uninspected | undefined },
  { meter, log }: { readonly meter: Meter; readonly log: Log },
): Promise<PassThrough | undefined> => {
  const { uninspected, limits } = options
  const names = options.routes.filter((route) => route.kind === 'uninspected').map((route) => route.name)
  if (names.length === 0) return undefined
  if (uninspected === undefined || names.some((name) => uninspected.upstreams[name] === undefined))
    throw new Error('a route with inspect: false needs an upstream and somebody who authorises its callers')
  const proxy = await newProxy()

  const admit = async (received: Received): Promise<UninspectedUpstream> => {
    await uninspected.authorize(received)
    const upstream = uninspected.upstreams[received.route.name]
    if (upstream === undefined) throw new Refusal('route_unknown')
    meter.add('postern_uninspected_total', 1, received.route.name)
    log.info('uninspected', { id: received.id, route: received.route.name })
    return upstream
  }

  return {
    async request(received, arrival) {
      const upstream = await admit(received)
      const { request, response, expects } = arrival
      if (expects) response.writeContinue()
      request.headers = { ...pick(request.headers, TO_UPSTREAM), ...upstream.headers }
      let size = 0
      request.on('data', (piece: Buffer) => {
        size += piece.length
        if (size > limits.bodyBytes) response.destroy()
      })
      response.setHeader('x-request-id', received.id)
      await new Promise<void>((resolve, reject) => {
        response.once('close', resolve)
        proxy.web(request, response, target(upstream), (cause) =>
          reject(new Refusal('model_unavailable', { cause })),
        )
      })
    },
    async upgrade(received, { request, socket, head, refuse }) {
      const upstream = await admit(received)
      request.headers = {
        ...pick(request.headers, UPGRADE_TO_UPSTREAM),
        upgrade: 'websocket',
        connection: 'Upgrade',
        ...upstream.headers,
      }
      boundAge(socket, limits.connectionAgeMs)
      await new Promise<void>((resolve) => {
        socket.once('close', resolve)
        proxy.ws(request, socket, head, target(upstream), (cause) => {
          if (switched.has(request)) socket.destroy()
          else refuse(new Refusal('model_unavailable', { cause }))
        })
      })
    },
  }
}

/** Upgrade requests whose 101 is on its way to the client. */
const switched = new WeakSet<IncomingMessage>()

const newProxy = async () => {
  const { default: httpProxy } = await import('http-proxy')
  const proxy = httpProxy.createProxyServer({})
  // Every call has its own error callback; without a listener an error in between would end the process.
  proxy.on('error', () => undefined)
  // A client that leaves during the answer would leave the upstream writing to nobody.
  proxy.on('proxyReq', (call, _request, response: ServerResponse) => {
    response.once('close', () => call.destroy())
  })
  proxy.on('proxyRes', (answer, _request, response: ServerResponse) => {
    answer.headers = { ...pick(answer.headers, TO_CLIENT), ...marks() }
    // http-proxy would leave a client waiting for the rest of an answer that broke off.
    answer.on('close', () => {
      if (!answer.complete) response.destroy()
    })
  })
  proxy.on('proxyReqWs', (...[call, request, socket, { proxyTimeout = 0 }]) => {
    // http-proxy adds its own listeners right after this event.
    process.nextTick(() => gateUpgrade(call, { request, socket, idleMs: proxyTimeout }))
  })
  return proxy
}

/**
 * Lets http-proxy see only a true upgrade: it tells the client 101 for whatever Node's client takes for one, also for a
 * 200 of an upstream that goes on to speak HTTP, and copies any other answer to the client as it is.
 */
const gateUpgrade = (
  call: ClientRequest,
  peer: { readonly request: IncomingMessage; readonly socket: Socket; readonly idleMs: number },
): void => {
  const pass = call.listeners('upgrade')
  call.removeAllListeners('upgrade').removeAllListeners('response')
  const refuse = (answer: IncomingMessage): void => {
    // Destroying a call that Node takes for upgraded reports nothing.
    call.emit(
      'error',
      new Error(`the upstream answered ${answer.statusCode ?? 0} instead of switching protocols`),
    )
    call.destroy()
  }
  call.on('response', refuse)
  call.on('upgrade', (answer: IncomingMessage, upstream: Socket, head: Buffer) => {
    if (answer.statusCode !== 101 || answer.headers.upgrade?.toLowerCase() !== 'websocket') {
      upstream.destroy()
      refuse(answer)
      return
    }
    switched.add(peer.request)
    answer.headers = { ...pick(answer.headers, UPGRADE_TO_CLIENT), [MARK]: 'false' }
    for (const listener of pass) Reflect.apply(listener, call, [answer, upstream, head])
    // http-proxy leaves the other end open when one breaks.
    peer.socket.once('close', () => upstream.destroy())
    upstream.once('close', () => peer.socket.end())
    for (const socket of [peer.socket, upstream]) socket.setTimeout(peer.idleMs, () => peer.socket.destroy())
  })
}

const target = (upstream: UninspectedUpstream): ProxyOptions => ({
  target: upstream.url,
  ignorePath: true,
  changeOrigin: true,
  secure: true,
  proxyTimeout: upstream.idleTimeoutMs,
  ...(upstream.ca !== undefined && { ca: upstream.ca }),
})

const marks = (): IncomingHttpHeaders => ({
  [MARK]: 'false',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
})

const pick = (headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders =>
  Object.fromEntries(names.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]))

const boundAge = (socket: Socket, ageMs: number): void => {
  const end = setTimeout(() => socket.destroy(), ageMs)
  end.unref()
  socket.once('close', () => clearTimeout(end))
}
