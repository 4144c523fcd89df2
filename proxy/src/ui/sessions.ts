import { createHash, randomBytes } from 'node:crypto'

export interface SessionOptions {
  /** Seconds on a clock that never jumps; for tests. */
  readonly elapsedS?: () => number
}

export interface Sessions {
  /** A new session: the value of its cookie, 256 random bits. */
  open(): string
  /** Whether it is open; being asked keeps it so. */
  isOpen(cookie: string | undefined): boolean
  close(cookie: string | undefined): void
}

const MAX_SESSIONS = 64
const IDLE_S = 3600
const LIFE_S = 12 * 3600

interface Session {
  readonly openedAt: number
  readonly usedAt: number
}

/** Sessions of the page, in memory and by hash: they end with the process, after twelve hours, or after one of rest. */
export const sessions = ({ elapsedS = () => performance.now() / 1000 }: SessionOptions = {}): Sessions => {
  const open = new Map<string, Session>()
  const live = (key: string): Session | undefined => {
    const session = open.get(key)
    const now = elapsedS()
    if (session && now - session.openedAt < LIFE_S && now - session.usedAt < IDLE_S) return session
    open.delete(key)
    return undefined
  }
  return {
    open: () => {
      for (const key of [...open.keys()]) live(key)
      const [oldest] = open.keys()
      if (open.size >= MAX_SESSIONS && oldest !== undefined) open.delete(oldest)
      const cookie = randomBytes(32).toString('base64url')
      open.set(keyOf(cookie), { openedAt: elapsedS(), usedAt: elapsedS() })
      return cookie
    },
    isOpen: (cookie) => {
      if (cookie === undefined) return false
      const session = live(keyOf(cookie))
      if (session) open.set(keyOf(cookie), { ...session, usedAt: elapsedS() })
      return session !== undefined
    },
    close: (cookie) => {
      if (cookie !== undefined) open.delete(keyOf(cookie))
    },
  }
}

// Looked up by hash, so that how long it takes says nothing about the cookies that exist.
const keyOf = (cookie: string): string => createHash('sha256').update(cookie).digest('base64')
