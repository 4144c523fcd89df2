import type { LimitRequest } from '../core/limits.ts'
import type { LimitRates } from '../core/policy.ts'

/** A token bucket: holds at most `capacity`, refills by `perMs` each millisecond. */
export interface Bucket {
  readonly capacity: number
  readonly perMs: number
}

export type ScopeName = 'caller' | 'tenant' | 'model'

/** One thing that is counted for one request. Undefined is unlimited. */
export interface Scope {
  readonly name: ScopeName
  /** Unambiguous: no two callers, tenants or models share one, whatever characters they hold. */
  readonly key: string
  readonly requests: Bucket | undefined
  readonly tokens: Bucket | undefined
  readonly places: number | undefined
}

/** The scopes of a request that have any limit: at most three. A rate that is not a number counts as zero. */
export const scopesOf = ({ caller, model, rates }: LimitRequest): readonly Scope[] => {
  const scopes: Scope[] = []
  const { subject, tenant } = caller
  add(scopes, { name: 'caller', key: `c${String(tenant.length)}:${tenant}${subject}`, rates: rates.caller })
  add(scopes, { name: 'tenant', key: `t${tenant}`, rates: rates.tenant })
  add(scopes, { name: 'model', key: `m${model}`, rates: rates.model })
  return scopes
}

interface Candidate {
  readonly name: ScopeName
  readonly key: string
  readonly rates: LimitRates
}

const add = (scopes: Scope[], { name, key, rates }: Candidate): void => {
  const requests = requestBucket(rates)
  const tokens = tokenBucket(rates)
  const places = limited(rates.concurrency)
  if (requests === undefined && tokens === undefined && places === undefined) return
  scopes.push({ name, key, requests, tokens, places: places === undefined ? undefined : Math.floor(places) })
}

/** A bucket that holds less than one request would let none through, so it holds one at least. */
const requestBucket = (rates: LimitRates): Bucket | undefined => {
  const rate = limited(rates.requests_per_second)
  if (rate === undefined) return undefined
  if (rate === 0) return { capacity: 0, perMs: 0 }
  return { capacity: Math.max(1, limited(rates.burst) ?? rate), perMs: rate / 1000 }
}

const tokenBucket = (rates: LimitRates): Bucket | undefined => {
  const rate = limited(rates.tokens_per_minute)
  return rate === undefined ? undefined : { capacity: rate, perMs: rate / 60_000 }
}

const limited = (rate: number | undefined): number | undefined => {
  if (rate === undefined || rate === Infinity) return undefined
  return rate > 0 ? rate : 0
}
