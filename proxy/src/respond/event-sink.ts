import { readFile } from 'node:fs/promises'
import { createWriteStream, type WriteStream } from 'node:fs'
import { Agent, request } from 'undici'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'

export interface EventSinkOptions {
  /** Where events are posted one by one, such as falcosidekick's `/`. Nowhere when absent. */
  readonly url?: URL
  readonly headers: Readonly<Record<string, string>>
  /** File with a bearer token, read for each event. */
  readonly tokenFile?: string
  /** PEM, read again for each connection's pool, which lives a few minutes. */
  readonly tls?: () => { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** A file that gets one JSON line for each event, appended. None when absent. */
  readonly lines?: string
  /** Events that wait at most. Later ones are dropped and counted. */
  readonly maxQueue: number
  /** For one try. */
  readonly timeoutMs: number
  readonly meter: Meter
  readonly log: Log
}

export interface EventSink {
  /** Never throws, never waits. */
  send(event: object): void
  /** Gives what waits one more `timeoutMs`. */
  close(): Promise<void>
}

const TRIES = 3
const BACK_OFF_MS = 500
const POOL_MS = 300_000
/** Bytes that a slow disk may owe. */
const MAX_OWED = 1 << 20

/** Tells others, and stops for nobody: a sink that is away or slow costs events, which are counted, and no exchange anything. */
export const eventSink = (options: EventSinkOptions): EventSink => {
  const { url, maxQueue, meter, log } = options
  const queue: string[] = []
  const ending = new AbortController()
  const count = (result: string): void => meter.add('postern_respond_events_total', 1, result)
  const file = options.lines === undefined ? undefined : appender(options.lines, log)
  const post = url === undefined ? undefined : poster(url, options, ending.signal)
  let running: Promise<void> | undefined
  let failing = false

  const drain = async (): Promise<void> => {
    for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
      try {
        await post?.(body)
        count('sent')
        failing = false
      } catch (cause) {
        count('failed')
        if (!failing) log.warn('event_not_sent', { cause: cause as Error })
        failing = true
      }
    }
    running = undefined
  }
  return {
    send: (event) => {
      const body = JSON.stringify(event)
      if (file !== undefined && !writeLine(file, body)) count('dropped')
      if (post === undefined) return
      if (queue.length >= maxQueue || ending.signal.aborted) {
        count('dropped')
        return
      }
      queue.push(body)
      running ??= drain()
    },
    close: async () => {
      const timer = setTimeout(() => {
        queue.length = 0
        ending.abort()
      }, options.timeoutMs)
      await running
      clearTimeout(timer)
      ending.abort()
      await new Promise<void>((resolve) => {
        if (file === undefined || file.destroyed) resolve()
        else file.end(() => resolve())
      })
    },
  }
}

const appender = (path: string, log: Log): WriteStream => {
  const file = createWriteStream(path, { flags: 'a', mode: 0o600 })
  file.on('error', (cause) => log.error('event_lines_unwritable', { cause }))
  return file
}

const writeLine = (file: WriteStream, line: string): boolean => {
  if (file.destroyed || file.writableLength > MAX_OWED) return false
  file.write(`${line}\n`)
  return true
}

const poster = (url: URL, options: EventSinkOptions, ending: AbortSignal) => {
  let pool: { readonly agent: Agent; readonly until: number } | undefined
  const agent = (): Agent => {
    if (pool !== undefined && performance.now() < pool.until) return pool.agent
    void pool?.agent.close().catch(() => undefined)
    const tls = options.tls?.() ?? {}
    const made = new Agent({
      connections: 1,
      connect: { timeout: options.timeoutMs, rejectUnauthorized: true, minVersion: 'TLSv1.2', ...tls },
    })
    pool = { agent: made, until: performance.now() + POOL_MS }
    return made
  }
  const once = async (body: string): Promise<void> => {
    const { tokenFile, headers, timeoutMs } = options
    const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim()
    const answer = await request(url, {
      method: 'POST',
      dispatcher: agent(),
      headers: {
        ...headers,
        'content-type': 'application/json',
        'user-agent': 'postern',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body,
      signal: AbortSignal.any([ending, AbortSignal.timeout(timeoutMs)]),
    })
    await answer.body.dump({ limit: 65_536 })
    if (answer.statusCode >= 300) throw new Error(`the sink answers ${answer.statusCode}`)
  }
  return async (body: string): Promise<void> => {
    for (let tried = 1; ; tried++) {
      try {
        await once(body)
        return
      } catch (error) {
        if (tried === TRIES || ending.aborted) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, BACK_OFF_MS * tried))
    }
  }
}
