import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Lease, Limiter } from '../core/limits.ts'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import { memoryLimiter } from './memory.ts'
import { ask, refusalOf } from './test/requests.ts'

const start = (options: { maxKeys?: number; leaseMaxMs?: number } = {}) => {
  const clock = { now: 1000 }
  const warnings: string[] = []
  const limiter = memoryLimiter(
    { maxKeys: 100, leaseMaxMs: 60_000, ...options },
    {
      meter: noMeter,
      log: { ...noLog, warn: (event) => void warnings.push(event) },
      now: () => clock.now,
    },
  )
  return { clock, limiter, warnings }
}

describe('keys', () => {
  test('a caller with many names is refused when all places for names are in use, and gains nothing', async () => {
    const { limiter, warnings } = start({ maxKeys: 10 })
    const request = (subject: string) => ask({ subject, caller: { requests_per_second: 0.001 } })
    for (let at = 0; at < 10; at += 1) await limiter.reserve(request(`name ${at}`))
    expect((await refusalOf(limiter.reserve(request('one more')))).code).toBe('guard_unavailable')
    expect((await refusalOf(limiter.reserve(request('name 0')))).code).toBe('rate_limited')
    expect(warnings).toEqual(['limiter_keys_full'])
  })

  test('names at rest make room', async () => {
    const { limiter, clock } = start({ maxKeys: 10 })
    for (let at = 0; at < 1000; at += 1) {
      clock.now += 200
      await limiter
        .reserve(ask({ subject: `name ${at}`, caller: { requests_per_second: 1 } }))
        .then((lease) => lease.settle(0))
    }
  })

  test('a name with a running lease is never forgotten', async () => {
    const { limiter, clock } = start({ maxKeys: 2, leaseMaxMs: 1e9 })
    const busy = ask({ subject: 'busy', tokens: 10, caller: { tokens_per_minute: 60 } })
    const lease = await limiter.reserve(busy)
    for (let at = 0; at < 50; at += 1) {
      clock.now += 120_000
      const other = ask({ subject: `name ${at}`, caller: { tokens_per_minute: 1 } })
      await limiter.reserve(other).then((it) => it.settle(0))
    }
    await lease.settle(130)
    expect((await refusalOf(limiter.reserve(busy))).headers['retry-after']).toBe('70')
  })
})

test('time that stands still or goes back refills nothing', async () => {
  const { limiter, clock } = start()
  const request = ask({ caller: { requests_per_second: 1 } })
  await limiter.reserve(request)
  clock.now -= 5000
  await refusalOf(limiter.reserve(request))
  clock.now += 900
  await refusalOf(limiter.reserve(request))
  clock.now += 200
  await limiter.reserve(request)
})

test('a client that waits exactly as long as it was told passes, whatever the rate', () =>
  fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0.001, max: 150, noNaN: true }),
      fc.integer({ min: 1, max: 50 }),
      async (rate, burst) => {
        const { limiter, clock } = start()
        const request = ask({ caller: { requests_per_second: rate, burst } })
        for (let at = 0; at < burst; at += 1) await limiter.reserve(request)
        for (let at = 0; at < 5; at += 1) {
          clock.now += Number((await refusalOf(limiter.reserve(request))).headers['retry-after-ms'])
          await limiter.reserve(request)
        }
      },
    ),
  ))

interface Charge {
  readonly at: number
  readonly requests: number
  readonly tokens: number
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4000 }) }),
  fc.record({
    kind: fc.constant('ask' as const),
    subject: fc.integer({ min: 0, max: 5 }),
    tokens: fc.integer({ min: 0, max: 120 }),
  }),
  fc.record({
    kind: fc.constant('settle' as const),
    which: fc.nat(),
    used: fc.integer({ min: 0, max: 150 }),
  }),
)

interface Limits {
  readonly rate: number
  readonly burst: number
  readonly tokens: number
  readonly places: number
}

test('no window ever holds more than the limit, however requests, ends and names are mixed', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        rate: fc.double({ min: 0.1, max: 20, noNaN: true }),
        burst: fc.integer({ min: 1, max: 10 }),
        tokens: fc.integer({ min: 50, max: 1000 }),
        places: fc.integer({ min: 1, max: 6 }),
      }),
      fc.integer({ min: 2, max: 8 }),
      fc.array(step, { maxLength: 150 }),
      async (limits, maxKeys, steps) => {
        const { limiter, clock } = start({ maxKeys, leaseMaxMs: 1e12 })
        const charges = await play({ limiter, clock, limits, steps })
        for (const list of charges.values()) checkWindows(list, limits)
      },
    ),
    { numRuns: 200 },
  ))

interface Play {
  readonly limiter: Limiter
  readonly clock: { now: number }
  readonly limits: Limits
  readonly steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]
}

const play = async ({ limiter, clock, limits, steps }: Play): Promise<Map<string, Charge[]>> => {
  const charges = new Map<string, Charge[]>()
  const open: { lease: Lease; subject: string; tokens: number }[] = []
  const charge = (subject: string, it: Omit<Charge, 'at'>): void => {
    charges.set(subject, [...(charges.get(subject) ?? []), { at: clock.now, ...it }])
  }
  for (const each of steps) {
    if (each.kind === 'wait') clock.now += each.ms
    if (each.kind === 'ask') {
      const subject = String(each.subject)
      const { rate, burst, tokens: perMinute, places } = limits
      const caller = {
        requests_per_second: rate,
        burst,
        tokens_per_minute: perMinute,
        concurrency: places,
      }
      try {
        const lease = await limiter.reserve(ask({ subject, tokens: each.tokens, caller }))
        open.push({ lease, subject, tokens: each.tokens })
        charge(subject, { requests: 1, tokens: each.tokens })
        expect(open.filter((it) => it.subject === subject).length).toBeLessThanOrEqual(places)
        expect(lease.ceiling).toBeGreaterThanOrEqual(each.tokens)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
      }
    }
    if (each.kind === 'settle' && open.length > 0) {
      const [{ lease, subject, tokens }] = open.splice(each.which % open.length, 1) as [(typeof open)[0]]
      await lease.settle(each.used)
      charge(subject, { requests: 0, tokens: each.used - tokens })
    }
  }
  return charges
}

/** Every window that ends with an admission: what was charged in it fits in a full bucket and its refill. */
const checkWindows = (charges: readonly Charge[], { rate, burst, tokens }: Limits): void => {
  charges.forEach((first, from) => {
    let requests = 0
    let used = 0
    for (const charge of charges.slice(from)) {
      requests += charge.requests
      used += charge.tokens
      if (charge.requests === 0) continue
      const ms = charge.at - first.at
      expect(requests).toBeLessThanOrEqual(burst + (rate * ms) / 1000 + 1e-3)
      expect(used).toBeLessThanOrEqual(tokens + (tokens * ms) / 60_000 + 1e-3)
    }
  })
}
