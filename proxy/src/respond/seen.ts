export interface SeenOptions {
  /** Milliseconds for which an event is remembered. */
  readonly keptMs: number
  /** Events remembered at most. */
  readonly max: number
  readonly now?: () => number
}

export interface SeenEvents {
  /** `full` when one more could only be remembered by forgetting another, which could then come again. */
  take(uuid: string): 'new' | 'repeated' | 'full'
  forget(uuid: string): void
}

/** Every event counts once, in bounded memory. */
export const seenEvents = ({ keptMs, max, now = () => performance.now() }: SeenOptions): SeenEvents => {
  const seen = new Map<string, number>()
  return {
    take: (uuid) => {
      const time = now()
      for (const [one, at] of seen) {
        if (time - at < keptMs) break
        seen.delete(one)
      }
      if (seen.has(uuid)) return 'repeated'
      if (seen.size >= max) return 'full'
      seen.set(uuid, time)
      return 'new'
    },
    forget: (uuid) => void seen.delete(uuid),
  }
}
