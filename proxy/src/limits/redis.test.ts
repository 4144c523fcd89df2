import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Lease, Limiter, LimitRequest } from '../core/limits.ts'
import { noLog, type Log } from '../core/log.ts'
import { noMeter, type Meter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import { memoryLimiter } from './memory.ts'
import { redisLimiter, type RedisLimiterOptions } from './redis.ts'
import { hasRedis, startRedis, type RedisServer } from './test/redisServer.ts'
import { ask, refusalOf } from './test/requests.ts'

const redis = hasRedis() ? describe : describe.skip

redis('a Redis shared by guards (skipped where redis-server is missing)', () => {
  const closing: (() => Promise<unknown>)[] = []
  let server: RedisServer
  beforeEach(async () => {
    server = await startRedis()
    closing.push(() => server.kill())
  })
  afterEach(async () => {
    while (closing.length > 0) await closing.pop()?.()
  })

  const guard = (changes: Partial<RedisLimiterOptions> = {}) => {
    const events: string[] = []
    const counts = { fallback: 0 }
    const log: Log = {
      info: (event) => void events.push(event),
      warn: (event) => void events.push(event),
      error: (event) => void events.push(event),
    }
    const meter: Meter = {
      ...noMeter,
      add: (name, amount) => {
        if (name === 'postern_limiter_fallback_total') counts.fallback += amount
      },
    }
    const fallback = memoryLimiter(
      { maxKeys: 100, leaseMaxMs: 60_000 },
      { meter, log, now: () => performance.now() },
    )
    const limiter = redisLimiter(
      {
        url: server.url,
        replicas: 2,
        strict: false,
        leaseMaxMs: 60_000,
        connectTimeoutMs: 5000,
        commandTimeoutMs: 5000,
        ...changes,
      },
      { meter, log, fallback },
    )
    closing.push(() => limiter.close())
    return { limiter, events, counts }
  }

  /** Until a request is counted by Redis. */
  const connected = async (it: { limiter: Limiter; counts: { fallback: number } }): Promise<void> => {
    for (let tries = 0; tries < 400; tries += 1) {
      const before = it.counts.fallback
      await it.limiter
        .reserve(ask({ subject: 'warm-up', caller: { concurrency: 1000 } }))
        .catch(() => undefined)
      if (it.counts.fallback === before) return
      await sleep(25)
    }
    throw new Error('never connected')
  }

  test('two guards share one limit, and a place freed by one is free for the other', async () => {
    const [one, two] = [guard(), guard()]
    await connected(one)
    await connected(two)
    const request = ask({ caller: { requests_per_second: 0.01, burst: 4, concurrency: 2 } })
    const lease = await one.limiter.reserve(request)
    await two.limiter.reserve(request)
    expect((await refusalOf(two.limiter.reserve(request))).details).toEqual(['caller concurrency'])
    await lease.settle(0)
    await two.limiter.reserve(request)
    const crowd = ask({ subject: 'crowd', caller: { requests_per_second: 0.01, burst: 9 } })
    const results = await Promise.allSettled(
      Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? one : two).limiter.reserve(crowd)),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
    expect(one.counts.fallback + two.counts.fallback).toBeLessThan(50)
  })

  test('Redis holds no name, every key expires and all keys share one hash tag', async () => {
    const it = guard({ prefix: 'guards' })
    await connected(it)
    const all = { requests_per_second: 5, concurrency: 5, tokens_per_minute: 500 }
    const secret = 'ada@example.com'
    await it.limiter.reserve(
      ask({
        subject: secret,
        tenant: secret,
        model: secret,
        tokens: 5,
        caller: all,
        perTenant: all,
        perModel: all,
      }),
    )
    const client = createClient({ url: server.url })
    closing.push(() => client.close())
    await client.connect()
    const keys = await client.keys('*')
    expect(keys.length).toBeGreaterThanOrEqual(6)
    for (const key of keys) {
      expect(key).toMatch(/^\{guards\}:[bl]:[\w-]{43}$/)
      expect(await client.pTTL(key)).toBeGreaterThan(0)
    }
    const dump = JSON.stringify(
      await Promise.all(
        keys.map((key) => (key.includes(':b:') ? client.hGetAll(key) : client.zRange(key, 0, -1))),
      ),
    )
    expect(dump).not.toMatch(/\bada\b/)
  })

  test('a guard that dies frees its places when its leases expire', async () => {
    const dead = guard({ leaseMaxMs: 2000 })
    const alive = guard({ leaseMaxMs: 2000 })
    await connected(dead)
    await connected(alive)
    const request = ask({ subject: 'orphan', caller: { concurrency: 1 } })
    await dead.limiter.reserve(request)
    await dead.limiter.close()
    expect((await refusalOf(alive.limiter.reserve(request))).code).toBe('rate_limited')
    await sleep(2100)
    await alive.limiter.reserve(request)
  })

  test('scripts that Redis forgot are sent again', async () => {
    const it = guard()
    await connected(it)
    const client = createClient({ url: server.url })
    closing.push(() => client.close())
    await client.connect()
    await client.scriptFlush()
    const before = it.counts.fallback
    const lease = await it.limiter.reserve(ask({ tokens: 5, caller: { tokens_per_minute: 10 } }))
    await lease.settle(1)
    expect(
      (await it.limiter.reserve(ask({ tokens: 5, caller: { tokens_per_minute: 10 } }))).ceiling,
    ).toBeCloseTo(9, 0)
    expect(it.counts.fallback).toBe(before)
  })

  test('without Redis a guard takes its part of the limit, never all of it, and uses a restored Redis again', async () => {
    const it = guard()
    await connected(it)
    const request = ask({ subject: 'part', caller: { requests_per_second: 0.01, burst: 10 } })
    await it.limiter.reserve(request)
    await server.kill()
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => it.limiter.reserve(request)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect(it.events.filter((event) => event === 'limiter_redis_down').length).toBeGreaterThanOrEqual(1)
    expect(it.limiter.unready()).toBeUndefined()
    await server.restart()
    await connected(it)
    expect(it.events.at(-1)).toBe('limiter_redis_up')
    await it.limiter.reserve(request)
  })

  test('a request too large for the part, but not for the whole, may be tried again', async () => {
    const it = guard()
    await connected(it)
    await server.kill()
    const request = ask({ subject: 'large', tokens: 80, caller: { tokens_per_minute: 100 } })
    const refusal = await refusalOf(it.limiter.reserve(request))
    expect(refusal.code).toBe('rate_limited')
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThan(0)
    expect((await refusalOf(it.limiter.reserve({ ...request, tokens: 101 }))).code).toBe('budget_spent')
  })

  test('a Redis that hangs costs one deadline, not one per request, and late takings are given back', async () => {
    const it = guard({ commandTimeoutMs: 300 })
    await connected(it)
    const request = ask({ subject: 'hang', caller: { concurrency: 1 } })
    server.pause()
    const begun = performance.now()
    const fallbacks = await Promise.all([it.limiter.reserve(request), refusalOf(it.limiter.reserve(request))])
    for (let at = 0; at < 100; at += 1) await refusalOf(it.limiter.reserve(request))
    expect(performance.now() - begun).toBeLessThan(15_000) // of the thirty seconds that a deadline each would take
    expect(it.counts.fallback).toBeGreaterThanOrEqual(102)
    server.resume()
    await fallbacks[0].settle(0)
    await connected(it)
    for (let tries = 0; tries < 400; tries += 1) {
      const lease = await it.limiter.reserve(request).catch(() => undefined)
      if (lease !== undefined) return
      await sleep(25)
    }
    throw new Error('the place taken late was never given back')
  }, 60_000)

  test('strict: without Redis nothing passes, and readiness says so until Redis is back', async () => {
    const it = guard({ strict: true })
    await connected(it)
    await server.kill()
    const refusal = await refusalOf(it.limiter.reserve(ask({ caller: { concurrency: 5 } })))
    expect(refusal.code).toBe('guard_unavailable')
    expect(refusal.headers['retry-after']).toBe('1')
    await it.limiter.reserve(ask())
    while (it.limiter.unready() === undefined) await sleep(50)
    expect(it.limiter.unready()).toBe('redis does not answer')
    await server.restart()
    for (let tries = 0; it.limiter.unready() !== undefined; tries += 1) {
      expect(tries).toBeLessThan(400)
      await sleep(25)
    }
  })

  test('settling without Redis does not throw', async () => {
    const it = guard()
    await connected(it)
    const lease = await it.limiter.reserve(ask({ tokens: 5, caller: { tokens_per_minute: 10 } }))
    await server.kill()
    await lease.settle(5)
    await lease.settle(5)
  })

  test('an error reply of Redis is a failure, not a yes', async () => {
    const it = guard()
    await connected(it)
    const client = createClient({ url: server.url })
    closing.push(() => client.close())
    await client.connect()
    await client.configSet('maxmemory', '1')
    const before = it.counts.fallback
    await it.limiter.reserve(ask({ subject: 'memory', caller: { requests_per_second: 1 } }))
    expect(it.counts.fallback).toBe(before + 1)
    expect(
      (await refusalOf(it.limiter.reserve(ask({ subject: 'memory', caller: { requests_per_second: 1 } }))))
        .code,
    ).toBe('rate_limited')
  })

  test('memory and Redis say the same to the same requests', async () => {
    const shared = guard()
    await connected(shared)
    // Rates so slow that the seconds a run may take refill less than one request or token.
    const caller = { requests_per_second: 1e-6, burst: 12, concurrency: 4, tokens_per_minute: 20 }
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 6 }), fc.option(fc.integer({ min: 0, max: 9 }))),
      { maxLength: 25 },
    )
    await fc.assert(
      fc.asyncProperty(steps, fc.uuid(), async (requests, subject) => {
        const local = memoryLimiter(
          { maxKeys: 10, leaseMaxMs: 60_000 },
          { meter: noMeter, log: noLog, now: () => 0 },
        )
        for (const [tokens, used] of requests) {
          const request = ask({ subject, tokens, caller })
          const [a, b] = await Promise.all([outcome(shared.limiter, request), outcome(local, request)])
          expect(a.said).toEqual(b.said)
          if (used === null) continue
          await a.lease?.settle(used)
          await b.lease?.settle(used)
        }
      }),
      { numRuns: 40 },
    )
    expect(shared.counts.fallback).toBeLessThan(100)
  })
})

const outcome = async (
  limiter: Limiter,
  request: LimitRequest,
): Promise<{ said: unknown; lease?: Lease }> => {
  try {
    const lease = await limiter.reserve(request)
    return { said: [lease.headers['x-ratelimit-remaining-tokens'], Math.floor(lease.ceiling)], lease }
  } catch (error) {
    return { said: error instanceof Refusal ? [error.code, error.details] : error }
  }
}

redis('Redis with a password (skipped where redis-server is missing)', () => {
  test('the password opens it, a wrong one leaves the fallback in charge', async () => {
    const server = await startRedis('--requirepass', 'swordfish')
    const fallback = memoryLimiter(
      { maxKeys: 10, leaseMaxMs: 60_000 },
      {
        meter: noMeter,
        log: noLog,
        now: () => performance.now(),
      },
    )
    const fallbacks = { right: 0, wrong: 0 }
    const open = (password: 'right' | 'wrong') =>
      redisLimiter(
        {
          url: server.url,
          password: password === 'right' ? 'swordfish' : 'marlin',
          replicas: 1,
          strict: false,
          leaseMaxMs: 1000,
          connectTimeoutMs: 5000,
          commandTimeoutMs: 5000,
        },
        {
          meter: { ...noMeter, add: () => void (fallbacks[password] += 1) },
          log: noLog,
          fallback,
        },
      )
    const [right, wrong] = [open('right'), open('wrong')]
    try {
      do {
        await sleep(20)
        fallbacks.right = 0
        await right.reserve(ask({ caller: { concurrency: 100 } }))
      } while (fallbacks.right > 0) // until it is connected
      for (let at = 0; at < 5; at += 1) {
        await right.reserve(ask({ caller: { concurrency: 100 } }))
        await wrong.reserve(ask({ caller: { concurrency: 100 } }))
      }
      expect(fallbacks).toEqual({ right: 0, wrong: 5 })
    } finally {
      await right.close()
      await wrong.close()
      await server.kill()
    }
  })
})
