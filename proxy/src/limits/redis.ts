import { hash, randomUUID } from 'node:crypto'
import type { Lease, Limiter, LimitRequest } from '../core/limits.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { LimitRates } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { RESERVE, SETTLE } from './scripts.ts'
import { scopesOf, type Bucket, type Scope } from './scopes.ts'
import { DEBT_MINUTES, quotaHeaders, refusalFor, ROUNDING, type Standing } from './standing.ts'
import { redisStore, type RedisOptions, type RedisStore } from './store.ts'

export interface RedisLimiterOptions extends RedisOptions {
  /** Names the keys, which all begin with `{prefix}:` so that a cluster keeps them on one node. Default `postern`. */
  readonly prefix?: string
  /** How many guards share the limits: each takes its part while Redis is away. */
  readonly replicas: number
  /** Refuse with `guard_unavailable` while Redis is away, instead of limiting by parts. */
  readonly strict: boolean
  /** Milliseconds after which a lease that was never settled frees its place. Longer than the longest exchange. */
  readonly leaseMaxMs: number
}

export interface RedisLimiterParts {
  readonly meter: Meter
  readonly log: Log
  /** Limits at limit/replicas while Redis is away. Closed with this limiter. */
  readonly fallback: Limiter
}

/**
 * Limits shared by all guards that use the same Redis, 6.2 or later, with an eviction policy of `noeviction`.
 * Connects in the background and for as long as it takes; until then, and whenever Redis is away, the fallback counts.
 */
export const redisLimiter = (options: RedisLimiterOptions, parts: RedisLimiterParts): Limiter => {
  const limiter: Shared = { ...parts, options, store: redisStore(options, parts.log) }
  return {
    name: 'redis',
    reserve: (request) => reserve(limiter, request),
    unready: () =>
      options.strict && limiter.store.awayMs() > UNREADY_AFTER_MS ? 'redis does not answer' : undefined,
    close: async () => {
      await limiter.store.close()
      await limiter.fallback.close()
    },
  }
}

interface Shared extends RedisLimiterParts {
  readonly options: RedisLimiterOptions
  readonly store: RedisStore
}

const UNREADY_AFTER_MS = 3000

const reserve = async (limiter: Shared, request: LimitRequest): Promise<Lease> => {
  const scopes = scopesOf(request)
  const { tokens } = request
  if (!(tokens >= 0)) throw new Refusal('guard_failed', { cause: new RangeError('token estimate') })
  if (scopes.length === 0) return { headers: {}, ceiling: Infinity, settle: () => Promise.resolve() }
  const hopeless = refusalFor(scopes, scopes.map(untouched), tokens)
  if (hopeless !== undefined) throw hopeless
  const taken: Taken = { scopes, keys: keysOf(limiter.options, scopes), tokens, id: randomUUID() }
  const standings = await takeShared(limiter, taken)
  return standings === undefined ? takePart(limiter, request) : sharedLease(limiter, { ...taken, standings })
}

interface Taken {
  readonly scopes: readonly Scope[]
  readonly keys: readonly string[]
  readonly tokens: number
  readonly id: string
}

const untouched = ({ requests, tokens }: Scope): Standing => ({
  requests: requests?.capacity ?? 0,
  tokens: tokens?.capacity ?? 0,
  inFlight: 0,
})

/** Names of callers do not leave the guard. */
const keysOf = ({ prefix }: RedisLimiterOptions, scopes: readonly Scope[]): readonly string[] =>
  scopes.flatMap(({ key }) => {
    const digest = hash('sha256', key, 'base64url')
    return [`{${prefix ?? 'postern'}}:b:${digest}`, `{${prefix ?? 'postern'}}:l:${digest}`]
  })

/** Undefined when Redis is away. Throws when it says no. */
const takeShared = async (limiter: Shared, taken: Taken): Promise<readonly Standing[] | undefined> => {
  const { scopes, keys, tokens, id } = taken
  let answer: Answer
  try {
    const reply = await limiter.store.run({
      script: RESERVE,
      keys,
      args: [
        id,
        String(tokens),
        String(limiter.options.leaseMaxMs),
        String(ROUNDING),
        ...scopes.flatMap(limits),
      ],
      // Redis took it although nobody waited for it any more: give all of it back.
      late: (reply) => {
        if (Array.isArray(reply) && reply[0] === 1) void settle(limiter, taken, 0)
      },
    })
    answer = readAnswer(reply, scopes.length)
  } catch {
    return undefined
  }
  if (answer.taken) return answer.standings
  throw refusalFor(scopes, answer.standings, tokens) ?? new Refusal('rate_limited')
}

const limits = ({ requests, tokens, places }: Scope): string[] => [
  ...bucketArguments(requests),
  ...bucketArguments(tokens),
  String(places ?? -1),
]

const bucketArguments = (bucket: Bucket | undefined): [string, string] =>
  bucket === undefined ? ['-1', '0'] : [String(bucket.capacity), String(bucket.perMs)]

interface Answer {
  readonly taken: boolean
  readonly standings: readonly Standing[]
}

const readAnswer = (reply: unknown, scopes: number): Answer => {
  const numbers: number[] = Array.isArray(reply) ? reply.map(Number) : []
  if (numbers.length !== 1 + scopes * 3 || numbers.some(Number.isNaN)) throw new Error('redis reply')
  const standings = Array.from({ length: scopes }, (_, at) => ({
    requests: numbers[1 + at * 3] ?? 0,
    tokens: numbers[2 + at * 3] ?? 0,
    inFlight: numbers[3 + at * 3] ?? 0,
  }))
  return { taken: numbers[0] === 1, standings }
}

const sharedLease = (limiter: Shared, taken: Taken & { standings: readonly Standing[] }): Lease => {
  const { scopes, standings, tokens } = taken
  const left = standings.map((each, at) => (scopes[at]?.tokens === undefined ? Infinity : each.tokens))
  let settled = false
  return {
    headers: quotaHeaders(scopes, standings, { requests: 1, tokens }),
    ceiling: Math.max(tokens, Math.min(...left)),
    settle: async (used) => {
      if (settled) return
      settled = true
      await settle(limiter, taken, used >= 0 ? used : tokens)
    },
  }
}

/** Never throws. What could not be settled stays taken until it refills, and its place until the lease expires. */
const settle = async (limiter: Shared, { scopes, keys, tokens, id }: Taken, used: number): Promise<void> => {
  try {
    await limiter.store.run({
      script: SETTLE,
      keys,
      args: [
        id,
        String(tokens - used),
        String(DEBT_MINUTES),
        ...scopes.flatMap((scope) => bucketArguments(scope.tokens)),
      ],
    })
  } catch {
    // The store has counted and logged it.
  }
}

const takePart = async (limiter: Shared, request: LimitRequest): Promise<Lease> => {
  limiter.meter.add('postern_limiter_fallback_total', 1)
  const { strict, replicas } = limiter.options
  if (strict)
    throw new Refusal('guard_unavailable', {
      cause: new Error('redis is away'),
      headers: { 'retry-after': '1' },
    })
  const { caller, tenant, model } = request.rates
  const rates = {
    caller: part(caller, replicas),
    tenant: part(tenant, replicas),
    model: part(model, replicas),
  }
  try {
    return await limiter.fallback.reserve({ ...request, rates })
  } catch (cause) {
    // More than this guard's part, but not more than all of it: worth trying again.
    if (cause instanceof Refusal && cause.code === 'budget_spent')
      throw new Refusal('rate_limited', { cause, details: cause.details, headers: cause.headers })
    throw cause
  }
}

/** At least one request and one place, or nobody could call while Redis is away. */
const part = (rates: LimitRates, replicas: number): LimitRates => ({
  ...(rates.requests_per_second === undefined
    ? {}
    : { requests_per_second: rates.requests_per_second / replicas }),
  ...(rates.burst === undefined ? {} : { burst: rates.burst / replicas }),
  ...(rates.concurrency === undefined
    ? {}
    : { concurrency: rates.concurrency === 0 ? 0 : Math.max(1, rates.concurrency / replicas) }),
  ...(rates.tokens_per_minute === undefined ? {} : { tokens_per_minute: rates.tokens_per_minute / replicas }),
})
