import type { News, NewsSource } from './live.ts'
import { SAFE_HEADERS, send, type Exchange } from './reply.ts'
import type { Tree } from './tree.ts'

export interface StreamOptions {
  readonly source: NewsSource
  /** Milliseconds between two looks for news; 1000 when absent. */
  readonly everyMs?: number
  /** How long a reader may leave everything unread before it is cut off; 30,000 when absent. */
  readonly stalledMs?: number
}

export interface Streams {
  /** Server-sent events until the reader leaves, stops reading, or is no longer allowed to. */
  open(exchange: Exchange, query: URLSearchParams, isAllowed: () => boolean): void
  readonly readers: number
  close(): void
}

const MAX_STREAMS = 16
/** What one reader may leave unread before it gets nothing new. */
const MAX_UNREAD = 64 * 1024
const BEAT_MS = 15_000

interface Reader {
  readonly exchange: Exchange
  readonly query: URLSearchParams
  readonly isAllowed: () => boolean
  after: number
  /** The parts it has; a part that is the same object is not sent again. */
  sent: ReadonlySet<Tree>
  wroteAt: number
  stalledSince: number | undefined
}

/** One timer for all readers, only while there are any. A reader that does not read costs 64 KB and is gone after half a minute. */
export const streams = ({ source, everyMs = 1000, stalledMs = 30_000 }: StreamOptions): Streams => {
  const open = new Set<Reader>()
  let timer: NodeJS.Timeout | undefined
  const drop = (reader: Reader): void => {
    open.delete(reader)
    reader.exchange.response.destroy()
    if (open.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
  const look = (): void => {
    for (const reader of open) if (!serve(reader, { source, stalledMs })) drop(reader)
  }
  return {
    get readers() {
      return open.size
    },
    open: (exchange, query, isAllowed) => {
      if (open.size >= MAX_STREAMS) {
        send(exchange, { status: 503, contentType: 'text/plain', body: 'too many streams', headers: RETRY })
        return
      }
      const reader = newReader({ exchange, query, isAllowed })
      open.add(reader)
      exchange.response.once('close', () => drop(reader))
      exchange.response.on('error', () => drop(reader))
      exchange.response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'text/event-stream' })
      exchange.response.write('retry: 3000\n\n')
      timer ??= setInterval(look, everyMs).unref()
      serve(reader, { source, stalledMs })
    },
    close: () => {
      for (const reader of open) drop(reader)
    },
  }
}

const RETRY = { 'retry-after': '5' }

/** Number of the newest decision that the page has, from its address or, after a break, from the last event. */
export const afterOf = ({ request }: Exchange, query: URLSearchParams): number => {
  const last = request.headers['last-event-id']
  const text = typeof last === 'string' ? last : (query.get('after') ?? '')
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

const newReader = (given: Pick<Reader, 'exchange' | 'query' | 'isAllowed'>): Reader => ({
  ...given,
  after: afterOf(given.exchange, given.query),
  sent: new Set(),
  wroteAt: performance.now(),
  stalledSince: undefined,
})

/** False when the reader should be let go. */
const serve = (reader: Reader, { source, stalledMs }: Required<Omit<StreamOptions, 'everyMs'>>): boolean => {
  const { response } = reader.exchange
  if (!reader.isAllowed()) return false
  const now = performance.now()
  if (response.writableLength > MAX_UNREAD) {
    reader.stalledSince ??= now
    return now - reader.stalledSince < stalledMs
  }
  reader.stalledSince = undefined
  const news = source.news(reader.query, reader.after)
  const fresh = { ...news, parts: news.parts.filter((part) => !reader.sent.has(part)) }
  reader.sent = new Set(news.parts)
  reader.after = news.after
  if (fresh.rows.length > 0 || fresh.parts.length > 0) write(reader, event(fresh))
  else if (now - reader.wroteAt > BEAT_MS) write(reader, ': still here\n\n')
  return true
}

const write = (reader: Reader, text: string): void => {
  reader.wroteAt = performance.now()
  reader.exchange.response.write(text)
}

// JSON has no line breaks, so nothing in it can end the event.
const event = (news: News): string => `id: ${news.after}\ndata: ${JSON.stringify(news)}\n\n`
