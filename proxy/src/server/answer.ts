import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, StreamAnswer } from '../core/exchange.ts'
import { Refusal } from '../core/refusal.ts'
import { discardBody } from './body.ts'

export interface AnswerOptions {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly hasBody: boolean
  readonly writeStallMs: number
  /** The largest body that is accepted. */
  readonly bodyBytes: number
  /** Should the connection end with this answer? Asked once, when the answer begins. */
  readonly closing: () => boolean
  /** Told once, when all of the answer was given to the socket. */
  readonly ended: () => void
}

export interface OpenAnswer extends Answer {
  // Data, not a getter: an object literal with a getter costs V8 a hidden class each time.
  begun: boolean
  /** To be called when the response has closed; `delivered` when all of it was handed to the kernel. */
  closed(delivered: boolean): void
}

/** The only headers that a client ever sees, besides `date`, `connection` and the framing that node:http adds. */
const ALLOWED = new Set([
  'allow',
  'content-type',
  'openai-processing-ms',
  'openai-version',
  'request-id',
  'retry-after',
  'retry-after-ms',
  'www-authenticate',
  'x-should-retry',
])
const ALLOWED_FAMILIES = ['x-ratelimit-', 'anthropic-ratelimit-', 'x-postern-']

/**
 * How long an unread body is thrown away, so that the refusal is not lost in a connection reset: nginx's lingering_timeout. A
 * body a little over the limit is what clients send by mistake, so twice the limit is read to its end.
 */
const LINGER_MS = 5000
const LINGER_BYTES = 1024 * 1024

const DONE = Promise.resolve()

export const openAnswer = (options: AnswerOptions): OpenAnswer => {
  const { response } = options
  const waiting: Waiter[] = []
  let closed = false
  let delivered = false

  const begin = (status: number, head: string[]): void => {
    if (answer.begun) throw new Error('this exchange is answered already')
    if (closed) throw new Refusal('client_gone')
    answer.begun = true
    response.writeHead(status, head)
  }
  const closing = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (closed) settle({ resolve, reject }, delivered)
      else waiting.push({ resolve, reject })
    })
  const finish = (): Promise<void> => {
    options.ended()
    response.end()
    return closing()
  }

  const answer: OpenAnswer = {
    begun: false,
    async whole(status, headers, body) {
      const cut = options.closing() || (await unreadBody(options))
      const head = responseHead(options.id, headers, cut)
      head.push('content-length', String(typeof body === 'string' ? Buffer.byteLength(body) : body.length))
      begin(status, head)
      if (cut && options.hasBody && !options.request.complete) {
        response.write(body)
        await discardBody(options.request, {
          maxMs: LINGER_MS,
          maxBytes: LINGER_BYTES + 2 * options.bodyBytes,
        })
        return finish()
      }
      options.ended()
      response.end(body)
      return closing()
    },
    stream(status, headers) {
      const cut = options.closing() || (options.hasBody && !options.request.complete)
      begin(status, [...responseHead(options.id, headers, cut), 'x-accel-buffering', 'no'])
      // One system call for head and first event when the event is at hand, the head alone when it is not.
      setImmediate(() => {
        if (!closed && !response.writableEnded) response.flushHeaders()
      })
      return openStream(options, { closing, finish, closed: () => closed })
    },
    closed(all) {
      closed = true
      delivered = all
      for (const waiter of waiting) settle(waiter, all)
    },
  }
  return answer
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (refusal: Refusal) => void
}

const settle = (waiter: Waiter, delivered: boolean): void => {
  if (delivered) waiter.resolve()
  else waiter.reject(new Refusal('client_gone'))
}

interface StreamEnds {
  readonly closing: () => Promise<void>
  readonly finish: () => Promise<void>
  readonly closed: () => boolean
}

const openStream = ({ response, writeStallMs }: AnswerOptions, ends: StreamEnds): StreamAnswer => {
  const drained = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        response.destroy()
      }, writeStallMs)
      const done = (): void => {
        clearTimeout(timer)
        response.off('drain', done).off('close', done)
        if (ends.closed() || response.destroyed) reject(new Refusal('client_gone'))
        else resolve()
      }
      response.on('drain', done).on('close', done)
    })
  return {
    write(text) {
      if (ends.closed() || response.destroyed) return Promise.reject(new Refusal('client_gone'))
      return text === '' || response.write(text) ? DONE : drained()
    },
    end: () => (ends.closed() ? ends.closing() : ends.finish()),
    destroy() {
      response.destroy()
    },
  }
}

const responseHead = (id: string, headers: Readonly<Record<string, string>>, cut: boolean): string[] => {
  const head = ['x-request-id', id, 'x-content-type-options', 'nosniff', 'cache-control', 'no-store']
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && isAllowed(name) && isPlain(value)) head.push(name, value)
  }
  if (cut) head.push('connection', 'close')
  return head
}

const isAllowed = (name: string): boolean =>
  ALLOWED.has(name) || ALLOWED_FAMILIES.some((family) => name.startsWith(family))

/** What node:http would throw on, and what could end a header early. */
const isPlain = (value: string): boolean => {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return value.length <= 1024
}

/** A body that was sent in one packet with its head is complete one turn later: then the connection can be kept. */
const unreadBody = async ({ hasBody, request }: AnswerOptions): Promise<boolean> => {
  if (!hasBody || request.complete) return false
  await new Promise((resolve) => setImmediate(resolve))
  return !request.complete
}
