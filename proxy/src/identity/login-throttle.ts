import { Refusal } from '../core/refusal.ts'
import { lru } from './lru.ts'

export interface ThrottleOptions {
  /** Wrong passwords for one name before it has to wait; 5 when absent. */
  readonly freeFailures?: number
  /** Longest wait for one name, in seconds; 300 when absent. The first wait is one second and doubles. */
  readonly maxWaitS?: number
  /** Attempts for all names together; 10 a second when absent, twice that at once. */
  readonly attemptsPerSecond?: number
  /** Seconds on a clock that never jumps; for tests. */
  readonly elapsedS?: () => number
}

export interface LoginThrottle {
  /** Takes one attempt. It counts as failed until `succeeded` is called. Throws Refusal `rate_limited`. */
  attempt(name: string): void
  succeeded(name: string): void
}

interface Failures {
  readonly count: number
  readonly mayTryAt: number
}

/** Names remembered; those that do not exist count too, so that waiting tells nothing. */
const MAX_NAMES = 10_000

/** Slows guessing down: exponential waits per name, and a bucket for all. */
export const loginThrottle = (options: ThrottleOptions): LoginThrottle => {
  const { freeFailures = 5, maxWaitS = 300, attemptsPerSecond = 10 } = options
  const { elapsedS = () => performance.now() / 1000 } = options
  const failures = lru<Failures>(MAX_NAMES)
  const burst = attemptsPerSecond * 2
  let tokens = burst
  let filledAt = elapsedS()
  return {
    attempt: (name) => {
      const now = elapsedS()
      const { count, mayTryAt } = failures.get(name) ?? { count: 0, mayTryAt: 0 }
      if (now < mayTryAt) throw tooMany(mayTryAt - now)
      tokens = Math.min(burst, tokens + (now - filledAt) * attemptsPerSecond)
      filledAt = now
      if (tokens < 1) throw tooMany((1 - tokens) / attemptsPerSecond)
      tokens -= 1
      const over = count + 1 - freeFailures
      const waitS = over < 0 ? 0 : Math.min(2 ** Math.min(over, 30), maxWaitS)
      failures.set(name, { count: count + 1, mayTryAt: now + waitS })
    },
    succeeded: (name) => failures.delete(name),
  }
}

const tooMany = (waitS: number): Refusal =>
  new Refusal('rate_limited', {
    details: ['too many login attempts'],
    headers: { 'retry-after': String(Math.ceil(waitS)) },
  })
