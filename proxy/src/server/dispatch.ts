import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ErrorShape } from '../core/dialect.ts'
import { refusalAnswer, type Received, type Route } from '../core/exchange.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { asRefusal, type Refusal } from '../core/refusal.ts'
import { openAnswer, type OpenAnswer } from './answer.ts'
import type { Connection, Connections } from './connections.ts'
import { checkBodyHead, readHead } from './head.ts'
import type { ServerLimits } from './limits.ts'
import { receive, type Arrival } from './receive.ts'
import type { RouteTable } from './routes.ts'

/** A request that never reached the handler: for whoever records such things. Holds no text of the client. */
export interface EdgeRefusal {
  readonly id: string
  readonly route: Route | undefined
  readonly client: string
  readonly refusal: Refusal
}

export interface Dispatch {
  readonly limits: ServerLimits
  readonly table: RouteTable
  readonly pool: Connections
  readonly errorShape: (route: Route | undefined) => ErrorShape
  /** Whether each answer ends its connection. */
  readonly closing: () => boolean
  readonly serve: (received: Received, arrival: Arrival) => Promise<void>
  readonly refused: (refused: EdgeRefusal) => void
  readonly meter: Meter
  readonly log: Log
}

/** Answers every request exactly once; those of one connection one after the other. */
export const dispatcher =
  (context: Dispatch, expects: boolean) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const connection = context.pool.of(request.socket)
    const start = (): void => begin(context, connection, { request, response, expects })
    if (connection.current === undefined) start()
    else if (connection.waiting.length < context.limits.pipelined) connection.waiting.push(start)
    else connection.socket.destroy()
  }

type Pair = Pick<Arrival, 'request' | 'response' | 'expects'>

const begin = (context: Dispatch, connection: Connection, pair: Pair): void => {
  const { request, response } = pair
  if (request.socket.destroyed || connection.dead) return
  const { limits } = context
  const arrival: Arrival = { id: randomUUID(), startedAt: performance.now(), limits, ...pair }
  const answer = openAnswer({
    id: arrival.id,
    request,
    response,
    hasBody: announcesBody(request),
    writeStallMs: limits.writeStallMs,
    bodyBytes: limits.bodyBytes,
    closing: () => connection.retired || context.closing(),
    ended: () => (connection.endedAt = performance.now()),
  })
  connection.current = answer
  const exchange = open(context, arrival, answer)
  response.once('close', () => {
    const delivered = response.writableFinished
    answer.closed(delivered)
    exchange?.closed(delivered)
    next(connection)
  })
  if (exchange !== undefined) void serve(context, exchange.received, arrival)
}

const open = (
  context: Dispatch,
  arrival: Arrival,
  answer: OpenAnswer,
): ReturnType<typeof receive> | undefined => {
  const { request, id } = arrival
  let route: Route | undefined
  try {
    const head = readHead(request, context.limits.headers)
    route = context.table.match(request.method ?? '', request.url ?? '')
    checkBodyHead(head, route, context.limits.bodyBytes)
    return receive(arrival, route, { head, answer })
  } catch (error) {
    const refusal = asRefusal(error)
    if (refusal.code === 'guard_failed') context.log.error('edge_failed', { id, cause: refusal })
    context.meter.add('postern_refusals_total', 1, route?.name ?? 'none', refusal.code)
    context.refused({ id, route, client: request.socket.remoteAddress ?? '', refusal })
    refuse(answer, refusal, { id, shape: context.errorShape(route) })
    return undefined
  }
}

/** A handler that throws, or ends without an answer, has failed: the client gets a refusal or a cut connection, never silence. */
const serve = async (context: Dispatch, received: Received, arrival: Arrival): Promise<void> => {
  const { id, route, answer } = received
  try {
    if (route.kind === 'health') await answer.whole(200, { 'content-type': 'text/plain' }, 'ok\n')
    else await context.serve(received, arrival)
    if (!answer.begun && !arrival.response.headersSent && !arrival.response.destroyed)
      throw new Error('the handler did not answer')
  } catch (error) {
    const refusal = asRefusal(error)
    if (refusal.code === 'guard_failed') context.log.error('handler_failed', { id, cause: refusal })
    if (answer.begun || arrival.response.headersSent) {
      if (!arrival.response.writableEnded) arrival.response.destroy()
    } else {
      context.meter.add('postern_refusals_total', 1, route.name, refusal.code)
      refuse(answer, refusal, { id, shape: context.errorShape(route) })
    }
  }
}

const refuse = (
  answer: OpenAnswer | Received['answer'],
  refusal: Refusal,
  as: { id: string; shape: ErrorShape },
): void => {
  const { status, headers, body } = refusalAnswer(refusal, as.id, as.shape)
  // The only failure left is a client that has gone.
  answer.whole(status, headers, body).catch(() => undefined)
}

const next = (connection: Connection): void => {
  connection.current = undefined
  connection.endedAt = 0
  const start = connection.waiting.shift()
  if (start !== undefined) start()
  else if (connection.ending) connection.socket.end()
}

const announcesBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
