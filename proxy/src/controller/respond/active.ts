import { createHash } from 'node:crypto'
import { writeOrders, type OrderStore } from '../../core/orders.ts'
import { ApiError, errorAnswer } from '../api/api-error.ts'
import type { Account, Tokens } from '../api/token.ts'
import type { Answer, Asked, Route } from '../https-server.ts'

export interface ActiveOptions {
  readonly tokens: Pick<Tokens, 'recentAccount'>
  readonly store: OrderStore
}

const MAX_WAIT_S = 60

/**
 * `GET /v1/respond/active`: the orders for the guard whose ServiceAccount token it is: all revocations and overlays, and the quarantine of its
 * own pod. ETag, 304, long poll by `Prefer: wait=SECONDS`. 503 until the orders are known: a guard must not take silence for none.
 */
export const activeRoute = ({ tokens, store }: ActiveOptions): Route => {
  const waiting = new Set<() => void>()
  store.onChange(() => {
    for (const wake of [...waiting]) wake()
  })
  const change = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      waiting.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  return {
    maxBody: 0,
    handle: async (asked): Promise<Answer> => {
      try {
        const account = await tokens.recentAccount(asked)
        const over = AbortSignal.any([asked.signal, AbortSignal.timeout(waitOf(asked) * 1000)])
        const etag = asked.headers['if-none-match']
        while (answerFor(account, store).headers.etag === etag && !over.aborted) await change(over)
        const { headers, text } = answerFor(account, store)
        if (headers.etag === etag) return { status: 304, headers }
        const type = { 'content-type': 'application/json' }
        return { status: 200, headers: { ...headers, ...type }, body: Buffer.from(text) }
      } catch (error) {
        if (error instanceof ApiError) return errorAnswer(error)
        throw error
      }
    },
  }
}

const answerFor = ({ pod }: Account, store: OrderStore) => {
  const why = store.unready()
  if (why !== undefined) throw new ApiError(503, why, 2)
  const own = store
    .current()
    .filter(({ target }) => target.kind !== 'quarantine' || target.pod.uid === pod?.uid)
  const text = writeOrders(own)
  return { text, headers: { etag: `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"` } }
}

const waitOf = ({ headers }: Asked): number => {
  const [, seconds] =
    /(?:^|[,; ])wait=(\d{1,6})(?:$|[,; ])/.exec(String(headers.prefer ?? '').slice(0, 256)) ?? []
  return Math.min(MAX_WAIT_S, Number(seconds ?? 0))
}
