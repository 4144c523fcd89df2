import { Refusal } from '../core/refusal.ts'
import type { Bucket, Scope } from './scopes.ts'

/** What a scope had left when a request came: bucket levels (a debt is negative) and places taken. */
export interface Standing {
  readonly requests: number
  readonly tokens: number
  readonly inFlight: number
}

/** Levels are sums of many small refills: without this, a client that waits exactly as told is refused. */
export const ROUNDING = 1e-6

/** A debt ends within an hour: a model server that reports absurd usage cannot lock a tenant out for ever. */
export const DEBT_MINUTES = 60

const BUSY_RETRY_MS = 1000 // nobody knows when a place becomes free

/** Why the request may not pass now; undefined when it may. */
export const refusalFor = (
  scopes: readonly Scope[],
  standings: readonly Standing[],
  tokens: number,
): Refusal | undefined => {
  let longest: Wait | undefined
  scopes.forEach((scope, at) => {
    for (const wait of waits(scope, standings[at] ?? FULL, tokens))
      if (wait.ms > 0 && (longest === undefined || wait.ms > longest.ms)) longest = wait
  })
  return longest === undefined ? undefined : refuse(longest, quotaHeaders(scopes, standings, NOTHING_TAKEN))
}

/** `x-ratelimit-*` for the scope nearest to its limit; `taken` is what this request took after the standings were read. */
export const quotaHeaders = (
  scopes: readonly Scope[],
  standings: readonly Standing[],
  taken: Taken,
): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const kind of ['requests', 'tokens'] as const) {
    const nearest = nearestQuota(scopes, standings, { kind, amount: taken[kind] })
    if (nearest === undefined) continue
    headers[`x-ratelimit-limit-${kind}`] = String(Math.floor(nearest.bucket.capacity))
    headers[`x-ratelimit-remaining-${kind}`] = String(Math.max(0, Math.floor(nearest.level + ROUNDING)))
    headers[`x-ratelimit-reset-${kind}`] = duration(refillMs(nearest.bucket, nearest.level))
  }
  return headers
}

interface Taken {
  readonly requests: number
  readonly tokens: number
}

interface Wait {
  readonly what: string
  /** Infinity when no waiting helps. */
  readonly ms: number
  readonly resetMs: number
}

const NOTHING_TAKEN: Taken = { requests: 0, tokens: 0 }

const FULL: Standing = { requests: Infinity, tokens: Infinity, inFlight: 0 }

const waits = (scope: Scope, standing: Standing, tokens: number): Wait[] => {
  const found: Wait[] = []
  const { requests, tokens: budget, places, name } = scope
  if (requests !== undefined)
    found.push(bucketWait(`${name} requests_per_second`, requests, [standing.requests, 1]))
  if (budget !== undefined)
    found.push(bucketWait(`${name} tokens_per_minute`, budget, [standing.tokens, tokens]))
  if (places !== undefined && standing.inFlight >= places)
    found.push({
      what: `${name} concurrency`,
      ms: places === 0 ? Infinity : BUSY_RETRY_MS,
      resetMs: BUSY_RETRY_MS,
    })
  return found
}

const bucketWait = (what: string, bucket: Bucket, [level, amount]: readonly [number, number]): Wait => {
  const resetMs = refillMs(bucket, level)
  if (level + ROUNDING >= amount && bucket.capacity > 0) return { what, ms: 0, resetMs }
  if (amount > bucket.capacity || bucket.capacity === 0) return { what, ms: Infinity, resetMs }
  return { what, ms: Math.ceil((amount - level) / bucket.perMs), resetMs }
}

/** Waiting never helps: the budget is spent by this request alone, and clients are told not to try again. */
const refuse = ({ what, ms, resetMs }: Wait, headers: Record<string, string>): Refusal => {
  const hopeless = ms === Infinity
  const waitMs = Math.max(1, hopeless ? resetMs : ms)
  headers['retry-after'] = String(Math.ceil(waitMs / 1000))
  headers['retry-after-ms'] = String(waitMs)
  return new Refusal(hopeless ? 'budget_spent' : 'rate_limited', { details: [what], headers })
}

interface Quota {
  readonly bucket: Bucket
  readonly level: number
}

interface Kind {
  readonly kind: 'requests' | 'tokens'
  readonly amount: number
}

const nearestQuota = (
  scopes: readonly Scope[],
  standings: readonly Standing[],
  { kind, amount }: Kind,
): Quota | undefined => {
  let nearest: Quota | undefined
  let least = Infinity
  scopes.forEach((scope, at) => {
    const bucket = scope[kind]
    if (bucket === undefined) return
    const level = (standings[at] ?? FULL)[kind] - amount
    const share = bucket.capacity === 0 ? 0 : level / bucket.capacity
    if (share >= least) return
    least = share
    nearest = { bucket, level }
  })
  return nearest
}

const refillMs = ({ capacity, perMs }: Bucket, level: number): number =>
  perMs === 0 ? 60_000 : Math.ceil(Math.max(0, capacity - level) / perMs)

/** As OpenAI writes them, which is as Go does: `120ms`, `7.5s`, `6m0s`, `1h0m0s`. */
export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  if (ms < 60_000) return `${Math.ceil(ms) / 1000}s`
  const seconds = Math.ceil(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const rest = `${minutes % 60}m${seconds % 60}s`
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}h${rest}`
}
