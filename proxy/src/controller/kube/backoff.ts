import { setTimeout as sleep } from 'node:timers/promises'

export interface Backoff {
  /** Waits longer each time: half a second at first, half a minute at most, with jitter. Rejects when aborted. */
  pause(signal: AbortSignal): Promise<void>
  /** What failed works again. */
  reset(): void
}

const FIRST_MS = 500
const MOST_MS = 30_000

export const backoff = (): Backoff => {
  let next = FIRST_MS
  return {
    pause: async (signal) => {
      const wait = next * (0.5 + Math.random() / 2)
      next = Math.min(next * 2, MOST_MS)
      await sleep(wait, undefined, { signal })
    },
    reset: () => {
      next = FIRST_MS
    },
  }
}
