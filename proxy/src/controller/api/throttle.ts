export interface ThrottleOptions {
  /** Asks that one key has at once. */
  readonly burst: number
  /** Milliseconds until it has one more. */
  readonly refillMs: number
  /** Keys remembered; the one unused for longest is forgotten. */
  readonly keys: number
  readonly now?: () => number
}

/** Counts per key in bounded memory. `0` when an ask is allowed, else the milliseconds to wait. */
export const throttle = (options: ThrottleOptions): ((key: string) => number) => {
  const { burst, refillMs, keys, now = () => performance.now() } = options
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>()
  return (key) => {
    const time = now()
    const before = buckets.get(key) ?? { tokens: burst, at: time }
    const tokens = Math.min(burst, before.tokens + (time - before.at) / refillMs)
    buckets.delete(key)
    buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: time })
    const oldest = buckets.size > keys ? buckets.keys().next().value : undefined
    if (oldest !== undefined) buckets.delete(oldest)
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) * refillMs)
  }
}
