import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBounded } from '../core/read-bounded.ts'
import { MAX_DESK_BODY, type Desk, type DeskAnswer } from './desk.ts'

/** The desk at a plain HTTP server, which bounds the time. Never throws. */
export const deskOverHttp =
  (routes: Desk['routes']) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, body } = await answerTo(request, routes).catch(() => told(400, 'the body did not arrive'))
    if (response.destroyed) return
    const text = `${JSON.stringify(body)}\n`
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // What was not read would be taken for the next request.
      ...(!request.complete && { connection: 'close' }),
    })
    response.end(text)
  }

const answerTo = async (request: IncomingMessage, routes: Desk['routes']): Promise<DeskAnswer> => {
  const { method = '', url = '', headers } = request
  const name = `${method} ${url.split('?', 1)[0] ?? ''}`
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  if (route === undefined) return told(404, 'no such page, or it has no secret configured')
  if (headers.origin !== undefined || (headers['sec-fetch-site'] ?? 'none') !== 'none')
    return told(403, 'not for web pages')
  const body = await readBounded(request, MAX_DESK_BODY)
  return body === undefined
    ? told(413, 'the body is too large')
    : route({ authorization: headers.authorization, body })
}

const told = (status: number, error: string): DeskAnswer => ({ status, body: { error } })
