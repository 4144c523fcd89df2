import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Limiter } from '../core/limits.ts'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { memoryLimiter } from './memory.ts'
import { redisLimiter } from './redis.ts'
import { hasRedis, startRedis, type RedisServer } from './test/redisServer.ts'
import { ask, refusalOf } from './test/requests.ts'

/** Every limiter behaves like this. Subjects differ by test, since Redis keeps them over tests. */
const behaviours = (limiter: (leaseMaxMs?: number) => Limiter): void => {
  test('no limits: nothing counted, no headers, no ceiling', async () => {
    const lease = await limiter().reserve(ask({ tokens: 1e9 }))
    expect(lease.headers).toEqual({})
    expect(lease.ceiling).toBe(Infinity)
    await lease.settle(5)
  })

  test('a burst passes, the next request is told when to come back, and then passes', async () => {
    const it = limiter()
    const request = ask({ subject: 'burst', caller: { requests_per_second: 0.5, burst: 3 } })
    const leases = [await it.reserve(request), await it.reserve(request), await it.reserve(request)]
    expect(leases.map((each) => each.headers['x-ratelimit-remaining-requests'])).toEqual(['2', '1', '0'])
    const refusal = await refusalOf(it.reserve(request))
    expect(refusal.code).toBe('rate_limited')
    expect(refusal.details).toEqual(['caller requests_per_second'])
    expect(refusal.headers).toMatchObject({
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '0',
      'retry-after': expect.stringMatching(/^[12]$/),
    })
    expect(refusal.headers['x-ratelimit-reset-requests']).toMatch(/^([45](\.\d+)?|6)s$/)
    const waitMs = Number(refusal.headers['retry-after-ms'])
    expect(waitMs).toBeGreaterThan(0)
    expect(waitMs).toBeLessThanOrEqual(2000)
    await sleep(waitMs + 2)
    await it.reserve(request)
  })

  test('rates below one a second still let one request through', async () => {
    const it = limiter()
    const request = ask({ subject: 'rare', caller: { requests_per_second: 0.02 } })
    await it.reserve(request)
    const refusal = await refusalOf(it.reserve(request))
    expect(refusal.headers['retry-after']).toMatch(/^(50|4[5-9])$/)
    expect(refusal.headers['x-ratelimit-reset-requests']).toMatch(/^(50|4[5-9](\.\d+)?)s$/)
  })

  test('places are limited until a lease is settled, and only the first settling counts', async () => {
    const it = limiter()
    const request = ask({ subject: 'places', caller: { concurrency: 2 } })
    const first = await it.reserve(request)
    await it.reserve(request)
    const refusal = await refusalOf(it.reserve(request))
    expect(refusal.code).toBe('rate_limited')
    expect(refusal.details).toEqual(['caller concurrency'])
    expect(refusal.headers['retry-after']).toBe('1')
    await first.settle(0)
    await first.settle(0)
    await it.reserve(request)
    expect((await refusalOf(it.reserve(request))).code).toBe('rate_limited')
  })

  test('a lease that is never settled frees its place in the end', async () => {
    const it = limiter(1500)
    const request = ask({ subject: 'crash', caller: { concurrency: 1 } })
    const lost = await it.reserve(request)
    expect((await refusalOf(it.reserve(request))).code).toBe('rate_limited')
    await sleep(1600)
    await it.reserve(request)
    await lost.settle(0)
    expect((await refusalOf(it.reserve(request))).code).toBe('rate_limited')
  })

  test('tokens are reserved, given back and the ceiling says what is left', async () => {
    const it = limiter()
    const request = ask({ subject: 'tokens', tokens: 400, caller: { tokens_per_minute: 1000 } })
    const first = await it.reserve(request)
    expect(first.ceiling).toBe(1000)
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '600',
      'x-ratelimit-reset-tokens': '24s',
    })
    await it.reserve(request)
    const refusal = await refusalOf(it.reserve(request))
    expect(refusal.code).toBe('rate_limited')
    expect(refusal.details).toEqual(['caller tokens_per_minute'])
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThanOrEqual(5)
    await first.settle(100)
    await first.settle(0)
    const third = await it.reserve(request)
    expect(third.ceiling).toBeGreaterThanOrEqual(500)
    expect(third.ceiling).toBeLessThan(700)
  })

  test('what was used beyond the estimate is a debt', async () => {
    const it = limiter()
    const request = ask({ subject: 'debt', tokens: 100, caller: { tokens_per_minute: 600 } })
    const lease = await it.reserve(request)
    await lease.settle(900)
    const refusal = await refusalOf(it.reserve(request))
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThanOrEqual(30)
    expect(Number(refusal.headers['retry-after'])).toBeLessThanOrEqual(40)
    expect(refusal.headers['x-ratelimit-remaining-tokens']).toBe('0')
  })

  test('absurd usage locks a caller out for an hour at most', async () => {
    const it = limiter()
    const request = ask({ subject: 'absurd', tokens: 1, caller: { tokens_per_minute: 600 } })
    await (await it.reserve(request)).settle(1e15)
    const refusal = await refusalOf(it.reserve(request))
    expect(Number(refusal.headers['retry-after'])).toBeLessThanOrEqual(3601)
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThanOrEqual(3590)
  })

  test('usage that is not a number counts as what was reserved', async () => {
    const it = limiter()
    const request = ask({ subject: 'nan', tokens: 600, caller: { tokens_per_minute: 600 } })
    await (await it.reserve(request)).settle(NaN)
    expect((await refusalOf(it.reserve(request))).code).toBe('rate_limited')
  })

  test('a request larger than the whole budget can never pass', async () => {
    const it = limiter()
    const request = ask({ subject: 'huge', tokens: 1001, perTenant: { tokens_per_minute: 1000 } })
    const refusal = await refusalOf(it.reserve(request))
    expect(refusal.code).toBe('budget_spent')
    expect(refusal.details).toEqual(['tenant tokens_per_minute'])
    expect((await refusalOf(it.reserve({ ...request, tokens: Infinity }))).code).toBe('budget_spent')
  })

  test.each([
    { caller: { requests_per_second: 0 } },
    { caller: { concurrency: 0 } },
    { caller: { tokens_per_minute: 0 } },
    { perModel: { requests_per_second: NaN } },
    { perModel: { concurrency: -1 } },
  ])('a limit of zero, or one that is no number, lets nothing through: %j', async (limits) => {
    const refusal = await refusalOf(limiter().reserve(ask({ subject: 'zero', model: 'zero', ...limits })))
    expect(refusal.code).toBe('budget_spent')
  })

  test.each([NaN, -1])('an estimate of %p tokens is our own failure', async (tokens) => {
    const request = ask({ subject: 'bad', tokens, caller: { tokens_per_minute: 10 } })
    expect((await refusalOf(limiter().reserve(request))).code).toBe('guard_failed')
  })

  test('a request that one scope refuses takes nothing from the others', async () => {
    const it = limiter()
    const tight = ask({
      subject: 'all-or-none',
      tenant: 'loose',
      tokens: 10,
      caller: { requests_per_second: 0.01, concurrency: 5, tokens_per_minute: 1000 },
      perTenant: { requests_per_second: 0.01, burst: 3, tokens_per_minute: 30, concurrency: 3 },
    })
    await it.reserve(tight)
    for (let again = 0; again < 5; again += 1) await refusalOf(it.reserve(tight))
    const other = { ...tight, caller: { ...tight.caller, subject: 'other' } }
    const lease = await it.reserve(other)
    expect(lease.headers['x-ratelimit-remaining-requests']).toBe('0')
    expect(lease.headers['x-ratelimit-remaining-tokens']).toMatch(/^1[0-4]$/)
    await it.reserve({ ...tight, caller: { ...tight.caller, subject: 'third' } })
    expect(
      (await refusalOf(it.reserve({ ...tight, caller: { ...tight.caller, subject: 'fourth' } }))).code,
    ).toBe('rate_limited')
  })

  test('tenants, models and callers with look-alike names do not share a bucket', async () => {
    const it = limiter()
    const limits = { requests_per_second: 0.01 }
    await it.reserve(ask({ tenant: 'ab', subject: 'c', caller: limits }))
    await it.reserve(ask({ tenant: 'a', subject: 'bc', caller: limits }))
    await it.reserve(ask({ tenant: 'same', perTenant: limits }))
    await it.reserve(ask({ model: 'same', perModel: limits }))
    await it.reserve(ask({ tenant: '\u0000{x}:', subject: '\ud800', caller: limits }))
  })

  test('headers are those of the scope nearest to its limit', async () => {
    const lease = await limiter().reserve(
      ask({
        subject: 'near',
        tenant: 'far',
        caller: { requests_per_second: 100 },
        perTenant: { requests_per_second: 4 },
      }),
    )
    expect(lease.headers['x-ratelimit-limit-requests']).toBe('4')
    expect(lease.headers['x-ratelimit-remaining-requests']).toBe('3')
    expect(lease.headers['x-ratelimit-limit-tokens']).toBeUndefined()
  })

  test('lower limits count at once', async () => {
    const it = limiter()
    await it.reserve(ask({ subject: 'lowered', caller: { requests_per_second: 0.1, burst: 100 } }))
    const low = ask({ subject: 'lowered', caller: { requests_per_second: 0.1, burst: 2 } })
    await it.reserve(low)
    await it.reserve(low)
    expect((await refusalOf(it.reserve(low))).code).toBe('rate_limited')
  })

  test('of many requests at once only the burst passes', async () => {
    const it = limiter()
    const request = ask({
      subject: 'crowd',
      tokens: 10,
      caller: { requests_per_second: 0.1, burst: 7, tokens_per_minute: 100 },
      perModel: { concurrency: 50 },
    })
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => it.reserve(request)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7)
  })
}

describe('in memory', () => {
  behaviours((leaseMaxMs = 60_000) =>
    memoryLimiter(
      { maxKeys: 1000, leaseMaxMs },
      { meter: noMeter, log: noLog, now: () => performance.now() },
    ),
  )
})

const redis = hasRedis() ? describe : describe.skip

redis('in Redis (skipped where redis-server is missing)', () => {
  let server: RedisServer
  const limiters: Limiter[] = []
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    for (const each of limiters) await each.close()
    await server.kill()
  })
  const fallback: Limiter = {
    name: 'none',
    reserve: () => Promise.reject(new Error('the fallback was used')),
    unready: () => undefined,
    close: () => Promise.resolve(),
  }
  const connected = (leaseMaxMs: number): Limiter => {
    const limiter = redisLimiter(
      {
        url: server.url,
        replicas: 2,
        strict: false,
        leaseMaxMs,
        connectTimeoutMs: 5000,
        commandTimeoutMs: 10_000,
      },
      { meter: noMeter, log: noLog, fallback },
    )
    limiters.push(limiter)
    return limiter
  }
  behaviours((leaseMaxMs = 60_000) => {
    const limiter = connected(leaseMaxMs)
    return {
      ...limiter,
      reserve: async (request) => {
        for (let tries = 0; ; tries += 1) {
          try {
            return await limiter.reserve(request)
          } catch (error) {
            if (tries > 1000 || !(error instanceof Error) || error.message !== 'the fallback was used')
              throw error
            await sleep(10) // until it is connected
          }
        }
      },
    }
  })
})
