import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readBounded } from '../../../../proxy/src/core/read-bounded.ts'
import { guarding } from '../answer.ts'
import { chatUrl, type Endpoint } from '../client.ts'
import { patience } from '../patience.ts'
import { readJson } from '../read-answer.ts'

/** What a foreign tool talks to instead of the target. */
export interface Relay {
  /** With `/v1`. */
  readonly url: string
  /** Good here and now only: the target's own key never reaches the tool. */
  readonly key: string
  /** Requests so far: all, those that a guard stopped, and those that say nothing (no answer, overload, wrong key). */
  counts(): RelayCounts
  close(): Promise<void>
}

export interface RelayCounts {
  readonly sent: number
  readonly stopped: number
  readonly failed: number
}

const MOST_ASKED = 8 << 20
const MOST_ANSWERED = 2 << 20
/** Of the answer's headers, those that tools of ours read. */
const PASSED_ON = ['content-type', 'x-postern-decision', 'x-postern-rules', 'x-should-retry']

/** On loopback, chat completions only. Waits on 429 as the server asks, so that a tool never sees one. */
export const startRelay = async (endpoint: Endpoint): Promise<Relay> => {
  const key = `relay-${randomBytes(24).toString('base64url')}`
  const counts = { sent: 0, stopped: 0, failed: 0 }
  const server = createServer((request, response) => {
    void serve(request, response, { endpoint, key, counts }).catch(() => {
      counts.failed += 1
      if (response.headersSent) response.destroy()
      else answer(response, 502, { error: { message: 'the target gave no answer', code: 'relay_error' } })
    })
  })
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => done())
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    key,
    counts: () => ({ ...counts }),
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

interface Relaying {
  readonly endpoint: Endpoint
  readonly key: string
  readonly counts: { sent: number; stopped: number; failed: number }
}

const serve = async (
  request: IncomingMessage,
  response: ServerResponse,
  { endpoint, key, counts }: Relaying,
): Promise<void> => {
  const refuse = (status: number, message: string, code: string): void =>
    answer(response, status, { error: { message, type: code, param: null, code } })
  if (!same(request.headers.authorization ?? '', `Bearer ${key}`)) {
    refuse(401, 'this relay has its own key', 'invalid_api_key')
    return
  }
  if (request.url === '/v1/models') {
    answer(response, 200, { object: 'list', data: [{ id: endpoint.model, object: 'model' }] })
    return
  }
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    refuse(404, 'only chat completions are relayed', 'not_found_error')
    return
  }
  const asked = await readBytes(request, MOST_ASKED)
  counts.sent += 1
  const { status, headers, bytes } = await asking(endpoint, asked)
  const told = {
    status,
    ...NO_ANSWER,
    ...readJson(bytes.toString('utf8')),
    decision: headers.get('x-postern-decision') ?? '',
  }
  const kind = guarding(told)
  if (kind === 'error') counts.failed += 1
  if (kind === 'blocked') counts.stopped += 1
  const kept = PASSED_ON.flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  response.writeHead(status, Object.fromEntries(kept)).end(bytes)
}

const NO_ANSWER = { text: '', tools: [], finish: '', completionTokens: 0, errorCode: '', rules: [], ms: 0 }

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
}

const asking = async ({ url, key, timeoutMs }: Endpoint, body: Buffer): Promise<Answered> => {
  const again = patience()
  for (;;) {
    const response = await fetch(chatUrl(url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    })
    const bytes = await readBytes(response.body ?? [], MOST_ANSWERED)
    const { status, headers } = response
    if (status !== 429 || !(await again(headers))) return { status, headers, bytes }
  }
}

const readBytes = async (body: Parameters<typeof readBounded>[0], most: number): Promise<Buffer> => {
  const bytes = await readBounded(body, most)
  if (bytes === undefined) throw new RangeError(`more than ${most} bytes`)
  return bytes
}

const same = (given: string, wanted: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const answer = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
