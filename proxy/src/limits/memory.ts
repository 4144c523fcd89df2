import type { Lease, Limiter, LimitRequest } from '../core/limits.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { asRefusal, Refusal } from '../core/refusal.ts'
import { scopesOf, type Bucket, type Scope } from './scopes.ts'
import { DEBT_MINUTES, quotaHeaders, refusalFor, type Standing } from './standing.ts'

export interface MemoryLimiterOptions {
  /** Callers, tenants and models counted at once; about 250 bytes each. When all are in use, further ones are refused. */
  readonly maxKeys: number
  /** Milliseconds after which a lease that was never settled frees its place. Longer than the longest exchange. */
  readonly leaseMaxMs: number
}

export interface MemoryLimiterParts {
  readonly meter: Meter
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * Limits of one process. Any span of t seconds admits at most burst + rate·t requests of a scope, and reserves at most
 * its tokens per minute times 1 + t/60. A key is forgotten only when that changes nothing: no lease, all buckets full.
 */
export const memoryLimiter = (options: MemoryLimiterOptions, parts: MemoryLimiterParts): Limiter => {
  const store: Store = {
    ...parts,
    options,
    entries: new Map(),
    hand: undefined,
    held: new Set(),
    crowded: false,
  }
  return {
    name: 'memory',
    // Nothing in it may wait between reading and taking.
    reserve: (request) => {
      try {
        return Promise.resolve(reserve(store, request))
      } catch (cause) {
        return Promise.reject(asRefusal(cause))
      }
    },
    unready: () => undefined,
    close: () => Promise.resolve(),
  }
}

interface Store extends MemoryLimiterParts {
  readonly options: MemoryLimiterOptions
  readonly entries: Map<string, Entry>
  /** Walks over the entries for ever, a few steps per new key, and drops those at rest. */
  hand: Iterator<[string, Entry]> | undefined
  /** In the order they expire, since all live equally long. */
  readonly held: Set<Held>
  crowded: boolean
}

interface Entry {
  requests: Level | undefined
  tokens: Level | undefined
  /** Every lease counts, limited or not: an entry with a lease must not be forgotten before it is settled. */
  inFlight: number
}

interface Level {
  bucket: Bucket
  value: number
  at: number
}

interface Held {
  readonly entries: readonly Entry[]
  readonly expiresAt: number
}

const SWEEP_STEPS = 2
const CROWDED_STEPS = 256 // about 10 us

const reserve = (store: Store, request: LimitRequest): Lease => {
  const scopes = scopesOf(request)
  const tokens = checkedTokens(request.tokens)
  if (scopes.length === 0) return { headers: {}, ceiling: Infinity, settle: () => Promise.resolve() }
  const now = store.now()
  freeExpired(store, now)
  const entries = scopes.map(
    ({ key }) => store.entries.get(key) ?? { requests: undefined, tokens: undefined, inFlight: 0 },
  )
  entries.forEach((entry, at) => refill(entry, scopes[at], now))
  const standings = entries.map(standing)
  const refusal = refusalFor(scopes, standings, tokens)
  if (refusal !== undefined) throw refusal
  keep(store, scopes, entries)
  for (const entry of entries) {
    if (entry.requests !== undefined) entry.requests.value -= 1
    if (entry.tokens !== undefined) entry.tokens.value -= tokens
    entry.inFlight += 1
  }
  return lease(store, { scopes, entries, standings, tokens, now })
}

/** An estimate that is not a number would poison a bucket for ever. */
const checkedTokens = (tokens: number): number => {
  if (!(tokens >= 0)) throw new Refusal('guard_failed', { cause: new RangeError('token estimate') })
  return tokens
}

const refill = (entry: Entry, scope: Scope | undefined, now: number): void => {
  entry.requests = refilled(entry.requests, scope?.requests, now)
  entry.tokens = refilled(entry.tokens, scope?.tokens, now)
}

const refilled = (level: Level | undefined, bucket: Bucket | undefined, now: number): Level | undefined => {
  if (bucket === undefined) return undefined
  if (level === undefined) return { bucket, value: bucket.capacity, at: now }
  level.value = Math.min(bucket.capacity, level.value + Math.max(0, now - level.at) * bucket.perMs)
  level.bucket = bucket
  level.at = now
  return level
}

const standing = (entry: Entry): Standing => ({
  requests: entry.requests?.value ?? Infinity,
  tokens: entry.tokens?.value ?? Infinity,
  inFlight: entry.inFlight,
})

const keep = (store: Store, scopes: readonly Scope[], entries: readonly Entry[]): void => {
  const added = scopes.filter(({ key }) => !store.entries.has(key)).length
  if (added === 0) return
  sweep(store, SWEEP_STEPS * added)
  const { maxKeys } = store.options
  if (store.entries.size + added > maxKeys) sweep(store, CROWDED_STEPS)
  const crowded = store.entries.size + added > maxKeys
  if (crowded !== store.crowded) {
    store.crowded = crowded
    if (crowded) store.log.warn('limiter_keys_full', { maxKeys })
  }
  if (crowded) throw new Refusal('guard_unavailable', { cause: new Error('limiter keys full') })
  scopes.forEach(({ key }, at) => {
    const entry = entries[at]
    if (entry !== undefined) store.entries.set(key, entry)
  })
  store.meter.set('postern_limiter_keys', store.entries.size)
}

const sweep = (store: Store, steps: number): void => {
  const now = store.now()
  for (let step = 0; step < steps; step += 1) {
    store.hand ??= store.entries.entries()
    const next = store.hand.next()
    if (next.done === true) {
      store.hand = undefined
      continue
    }
    const [key, entry] = next.value
    if (entry.inFlight === 0 && isFull(entry.requests, now) && isFull(entry.tokens, now))
      store.entries.delete(key)
  }
}

const isFull = (level: Level | undefined, now: number): boolean =>
  level === undefined || level.value + (now - level.at) * level.bucket.perMs >= level.bucket.capacity

interface Taken {
  readonly scopes: readonly Scope[]
  readonly entries: readonly Entry[]
  readonly standings: readonly Standing[]
  readonly tokens: number
  readonly now: number
}

const lease = (store: Store, { scopes, entries, standings, tokens, now }: Taken): Lease => {
  const held: Held = { entries, expiresAt: now + store.options.leaseMaxMs }
  store.held.add(held)
  let settled = false
  return {
    headers: quotaHeaders(scopes, standings, { requests: 1, tokens }),
    ceiling: Math.max(tokens, Math.min(...standings.map((each) => each.tokens))),
    settle: (used) => {
      if (!settled) {
        settled = true
        giveBack(store, entries, tokens - (used >= 0 ? used : tokens))
        if (store.held.delete(held)) free(held)
      }
      return Promise.resolve()
    },
  }
}

const giveBack = (store: Store, entries: readonly Entry[], amount: number): void => {
  const now = store.now()
  for (const { tokens } of entries) {
    if (tokens === undefined) continue
    const { capacity } = tokens.bucket
    refilled(tokens, tokens.bucket, now)
    tokens.value = Math.min(capacity, Math.max(-capacity * DEBT_MINUTES, tokens.value + amount))
  }
}

const free = ({ entries }: Held): void => {
  for (const entry of entries) entry.inFlight -= 1
}

const freeExpired = (store: Store, now: number): void => {
  for (const held of store.held) {
    if (held.expiresAt > now) return
    store.held.delete(held)
    free(held)
  }
}
