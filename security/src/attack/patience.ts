import { setTimeout as sleep } from 'node:timers/promises'

const SHORTEST_WAIT_MS = 20
const LONGEST_WAIT_MS = 10_000
const MOST_WAITING_MS = 120_000

/** For one request: waits as an answer 429 asks, and resolves to true; to false once two minutes were waited. */
export const patience = () => {
  let waited = 0
  return async (headers: Headers): Promise<boolean> => {
    if (waited >= MOST_WAITING_MS) return false
    const asked = Number(headers.get('retry-after-ms') ?? 1000 * Number(headers.get('retry-after') ?? 1))
    const wait = Number.isFinite(asked) ? Math.min(Math.max(asked, SHORTEST_WAIT_MS), LONGEST_WAIT_MS) : 1000
    // Those that were told the same moment do not all come back in it.
    const pause = wait * (1 + Math.random())
    waited += pause
    await sleep(pause)
    return true
  }
}
