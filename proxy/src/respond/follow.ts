import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { readOrders, type Order, type OrderStore } from '../core/orders.ts'
import { readBounded } from '../core/read-bounded.ts'
import { rounds } from '../core/rounds.ts'
import { singleConnection } from '../core/single-connection.ts'
import { replaceFile } from './order-file.ts'

export interface FollowOptions {
  /** Of the controller, `https:`, such as `https://postern-controller.postern.svc/v1/respond/active`. */
  readonly url: URL
  readonly caFile?: string
  /** The ServiceAccount token of the pod, read at each call. */
  readonly tokenFile?: string
  /** Where the last answer is kept, so that a restart forgets nothing. */
  readonly keep: string
  /** Seconds that the controller may wait for something new; 30 when absent. */
  readonly waitS?: number
  readonly meter: Meter
  readonly log: Log
}

const RETRY = { minMs: 1000, maxMs: 30_000 }
const MIN_ROUND_MS = 1000
const TIMEOUT_MS = 15_000
const MAX_BYTES = 4 << 20

/**
 * The orders that the controller has for this guard. Whatever the controller answers or does not, the last ones stay, each until it ends
 * by itself. Unready until there was one answer, now or before the restart: a guard that knows of no revocation would let everybody in.
 */
export const followOrders = async (options: FollowOptions): Promise<OrderStore> => {
  const { log, meter, waitS = 30 } = options
  const listeners: (() => void)[] = []
  const kept = await keptOrders(options)
  let orders: readonly Order[] = kept ?? []
  let known = kept !== undefined
  let etag: string | undefined
  let why = 'no answer yet'
  const count = (result: string): void => meter.add('postern_respond_fetches_total', 1, result)
  const following = rounds({
    retry: RETRY,
    round: async ({ signal }) => {
      const began = performance.now()
      const answer = await fetchOrders(options, { etag, waitS: known ? waitS : 0, signal })
      following.unref()
      count(answer === undefined ? 'unchanged' : 'new')
      if (answer !== undefined && !signal.aborted) {
        orders = readOrders(answer.bytes)
        etag = answer.etag
        known = true
        for (const listener of listeners) listener()
        await replaceFile(options.keep, answer.bytes).catch((cause: unknown) =>
          log.error('orders_not_stored', { cause: cause as Error }),
        )
      }
      return MIN_ROUND_MS - (performance.now() - began)
    },
    failed: (cause, failure) => {
      why = cause.message
      count('failed')
      log.warn('orders_not_fetched', { ...failure, known, cause })
    },
  })
  return {
    current: () => orders,
    unready: () => (known ? undefined : `responses: not known yet: ${why}`),
    change: () => Promise.reject(new Error('these orders are the controller’s; ask it')),
    onChange: (listener) => void listeners.push(listener),
    close: () => following.close(),
  }
}

const keptOrders = async ({ keep, log }: FollowOptions): Promise<readonly Order[] | undefined> => {
  try {
    return readOrders(await readFile(keep))
  } catch (cause) {
    // Then the controller has to say it, and until then nobody passes.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      log.error('orders_on_disk_rejected', { cause: cause as Error })
    return undefined
  }
}

interface Ask {
  readonly etag: string | undefined
  readonly waitS: number
  readonly signal: AbortSignal
}

/** Undefined when nothing is new. */
const fetchOrders = async (
  { url, caFile, tokenFile }: FollowOptions,
  { etag, waitS, signal }: Ask,
): Promise<{ readonly bytes: Buffer; readonly etag: string | undefined } | undefined> => {
  const waitMs = TIMEOUT_MS + waitS * 1000
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim()
  const dispatcher = new Agent(singleConnection({ connectMs: TIMEOUT_MS, answerMs: waitMs, ca }))
  try {
    const answer = await request(url, {
      dispatcher,
      signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs)]),
      headers: {
        accept: 'application/json',
        'user-agent': 'postern',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(etag !== undefined && { 'if-none-match': etag }),
        ...(waitS > 0 && { prefer: `wait=${waitS}` }),
      },
    })
    if (answer.statusCode === 304 && etag !== undefined) return undefined
    if (answer.statusCode !== 200) throw new Error(`the controller answers ${answer.statusCode}`)
    const { etag: tag } = answer.headers
    const bytes = await readBounded(answer.body, MAX_BYTES)
    if (bytes === undefined) throw new Error(`the controller answers with more than ${MAX_BYTES} bytes`)
    return { bytes, etag: typeof tag === 'string' ? tag : undefined }
  } finally {
    await dispatcher.destroy()
  }
}
