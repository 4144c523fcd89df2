import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import type { Probe } from '../core/pod.ts'
import { askHealth } from './app-health.ts'

export interface AdminOptions {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Why no traffic should come; empty when it should. */
  readonly ready: () => readonly string[]
  /** Given the `Accept` header. */
  readonly metrics: (
    accept: string | undefined,
  ) => Promise<{ readonly contentType: string; readonly text: string }>
  readonly coverage: () => Json
  /** With secrets masked. */
  readonly config: () => Json
  /** What was learned of models and callers, for who shows the token. */
  readonly baseline?: (authorization: string | undefined) => { readonly status: number; readonly body: Json }
  /** Starts the drain; the answer does not wait for its end. */
  readonly drain: () => void
  /** Whether whoever shares the network namespace may start the drain. */
  readonly drainFromHere: boolean
  /** Probes of the other containers of the pod, which this port makes for the kubelet. */
  readonly probes: readonly Probe[]
  /** Answers `/ui` and what is below it: the only pages for browsers, behind a login of their own. Never throws. */
  readonly ui?: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Answers what is below `/v1/respond/`, behind secrets of its own. Never throws. */
  readonly respond?: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined
  readonly log: Log
}

export interface AdminServer {
  readonly address: AddressInfo
  close(): Promise<void>
}

/** For kubelets, Prometheus and people on the machine: no authentication, so no content and no secrets, and its own port. */
export const adminServer = async (options: AdminOptions): Promise<AdminServer> => {
  const pages = adminPages(options)
  const listener = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: 5000,
      requestTimeout: 5000,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      if (!options.drainFromHere && request.url === '/drain' && isFromHere(request)) {
        response.writeHead(403, { connection: 'close' }).end()
        return
      }
      if (options.ui && isUi(request)) void options.ui(request, response)
      else if (options.respond && request.url?.startsWith('/v1/respond/') === true)
        void options.respond(request, response)
      else void answer(request, response, { pages, log: options.log })
    },
  )
  listener.maxConnections = 256
  listener.on('upgrade', (_request, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject)
    listener.listen({ host: options.host, port: options.port }, resolve)
  })
  return {
    address: listener.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
      }),
  }
}

/** Spelled exactly; any other spelling is an unknown page. */
const isUi = ({ url = '' }: IncomingMessage): boolean =>
  url === '/ui' || url.startsWith('/ui/') || url.startsWith('/ui?')

interface Page {
  readonly status: number
  readonly contentType?: string
  readonly body: string
}

interface Pages {
  readonly pages: Readonly<Record<string, ((request: IncomingMessage) => Page | Promise<Page>) | undefined>>
  readonly log: Log
}

const adminPages = (options: AdminOptions): Pages['pages'] => {
  const readiness = (): Page => {
    const reasons = options.ready()
    return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons })
  }
  const drain = (): Page => {
    options.drain()
    return json(200, { draining: true })
  }
  return {
    'GET /livez': () => json(200, { live: true }),
    'GET /readyz': readiness,
    'GET /healthz': readiness,
    'GET /metrics': async ({ headers }) => {
      const { contentType, text } = await options.metrics(headers.accept)
      return { status: 200, contentType, body: text }
    },
    'GET /coverage': () => json(200, options.coverage()),
    'GET /config': () => json(200, options.config()),
    ...(options.baseline && { 'GET /baseline': baselinePage(options.baseline) }),
    // A kubelet's preStop hook can only GET.
    'GET /drain': drain,
    'POST /drain': drain,
    ...Object.fromEntries(options.probes.map((probe) => [`GET ${probe.path}`, () => healthPage(probe)])),
  }
}

const baselinePage =
  (answer: NonNullable<AdminOptions['baseline']>) =>
  ({ headers }: IncomingMessage): Page => {
    const { status, body } = answer(headers.authorization)
    return json(status, body)
  }

const healthPage = async (probe: Probe): Promise<Page> => {
  const health = await askHealth(probe)
  return health.ok ? json(200, { ok: true }) : json(503, { ok: false, why: health.why })
}

/** From the same network namespace a connection has one address at both ends. */
const isFromHere = ({ socket }: IncomingMessage): boolean => socket.remoteAddress === socket.localAddress

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  { pages, log }: Pages,
): Promise<void> => {
  const page = await pageFor(request, pages).catch((cause: unknown) => {
    log.error('admin_failed', { cause: cause instanceof Error ? cause : new Error(String(cause)) })
    return json(500, { error: 'see the log' })
  })
  response.writeHead(page.status, {
    'content-type': page.contentType ?? 'application/json',
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(hasBody(request) && { connection: 'close' }),
  })
  response.end(page.body)
}

const pageFor = async (request: IncomingMessage, pages: Pages['pages']): Promise<Page> => {
  const { method = '', url = '', headers } = request
  if (hasBody(request)) return json(400, { error: 'no request here takes a body' })
  // A page in somebody's browser must not be able to drain a guard on localhost.
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none')
    return json(403, { error: 'not for web pages' })
  const page = Object.hasOwn(pages, `${method} ${url}`) ? pages[`${method} ${url}`] : undefined
  if (page !== undefined) return page(request)
  const known = Object.hasOwn(pages, `GET ${url}`)
  return known
    ? json(405, { error: 'use GET' })
    : json(404, { error: 'no such page', pages: Object.keys(pages) })
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

const json = (status: number, value: Json): Page => ({ status, body: `${JSON.stringify(value, null, 2)}\n` })
