import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ErrorShape } from '../../core/dialect.ts'
import type { Received } from '../../core/exchange.ts'
import { noLog } from '../../core/log.ts'
import { noMeter, type Meter } from '../../core/metrics.ts'
import type { ServerLimits } from '../limits.ts'
import { builtInRoutes } from '../../core/routes.ts'
import { server, type Handler, type Server, type ServerOptions } from '../server.ts'

export const testLimits: ServerLimits = {
  headers: 64,
  headerBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  firstByteTimeoutMs: 10_000,
  keepAliveMs: 75_000,
  bodyBytes: 1024 * 1024,
  bodyChunks: 1024,
  connections: 1000,
  connectionsPerAddress: 1000,
  connectionAgeMs: 600_000,
  requestsPerConnection: 10_000,
  pipelined: 8,
  handshakeTimeoutMs: 10_000,
  writeStallMs: 30_000,
  checkIntervalMs: 200,
}

export const errorShape: ErrorShape = ({ code, message, details }, id) => ({
  error: { code, message, details, id },
})

export interface Started {
  readonly server: Server
  readonly port: number
  /** What reached the handler. */
  readonly received: readonly Received[]
}

type Overrides = Partial<Omit<ServerOptions, 'limits'>> & {
  readonly limits?: Partial<ServerLimits>
  readonly meter?: Meter
}

const running: Server[] = []

/** Answers with what it read unless a handler says otherwise. */
export const start = async (overrides: Overrides = {}, handler: Handler = echo): Promise<Started> => {
  const { limits, meter = noMeter, ...options } = overrides
  const received: Received[] = []
  const started = await server(
    {
      host: '127.0.0.1',
      port: 0,
      routes: builtInRoutes,
      drain: { graceMs: 0, deadlineMs: 1000 },
      errorShape: () => errorShape,
      ...options,
      limits: { ...testLimits, ...limits },
    },
    (one) => {
      received.push(one)
      return handler(one)
    },
    { meter, log: noLog },
  )
  running.push(started)
  return { server: started, port: started.address.port, received }
}

export const stopAll = async (): Promise<void> => {
  await Promise.all(running.splice(0).map((one) => one.close(0)))
}

const echo: Handler = async (one) => {
  const { answer, route } = one
  const bytes = await one.body()
  await answer.whole(
    200,
    { 'content-type': 'application/json' },
    JSON.stringify({ route: route.name, body: Buffer.from(bytes).toString('latin1') }),
  )
}

export const open = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Sends bytes, half-closing nothing, and reads until the server closes or is quiet for `quietMs`. */
export const exchange = async (port: number, bytes: string | Buffer, quietMs = 150): Promise<string> => {
  const socket = await open(port)
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  const text = await readAll(socket, quietMs)
  socket.destroy()
  return text
}

const FIRST_BYTE_MS = 10_000

/** Until the server closes, or is quiet for `quietMs` after something came; something has to come within ten seconds. */
export const readAll = (socket: Socket, quietMs: number): Promise<string> =>
  new Promise((resolve) => {
    let text = ''
    const done = (): void => {
      stop()
      resolve(text)
    }
    let stop = after(FIRST_BYTE_MS, done)
    socket.on('data', (piece: Buffer) => {
      text += piece.toString('latin1')
      stop()
      stop = after(quietMs, done)
    })
    socket.on('close', done)
    if (socket.closed) done()
  })

/**
 * In many steps, since the server under test shares the event loop: a machine that stands still for a second, or a loop that is
 * busy for one, ends a step and not the wait. Gives what stops it.
 */
const after = (ms: number, done: () => void): (() => void) => {
  let steps = 0
  const timer = setInterval(() => {
    steps += 1
    if (steps >= STEPS) done()
  }, ms / STEPS)
  return () => clearInterval(timer)
}
const STEPS = 25

export const statuses = (text: string): readonly number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1]))

export const post = (body: string, headers: readonly string[] = [], path = '/v1/chat/completions'): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: guard.test',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n')
