import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { breaker, type BreakerOptions } from './breaker.ts'

const start = (changes: Partial<BreakerOptions> = {}) => {
  const clock = { now: 1000 }
  const health: boolean[] = []
  const options = {
    failures: 5,
    failureRate: 0.5,
    minimumCalls: 10,
    windowMs: 1000,
    openMs: 100,
    maxOpenMs: 400,
    ...changes,
  }
  const it = breaker(options, { now: () => clock.now, onChange: (healthy) => health.push(healthy) })
  const calls = (...results: readonly ('ok' | 'failed' | 'unused')[]): void => {
    for (const result of results) it.enter()?.[result]()
  }
  return { it, clock, health, calls }
}

test('failures in a row open it, one success in between does not let them add up', () => {
  const { it, calls, health } = start()
  calls('failed', 'failed', 'failed', 'failed', 'ok', 'failed', 'failed', 'failed', 'failed')
  expect(it.blockedMs()).toBe(0)
  calls('failed')
  expect(it.blockedMs()).toBeGreaterThan(0)
  expect(it.enter()).toBeUndefined()
  expect(health).toEqual([false])
})

test('a share of failures opens it, but not from few calls, and not from long ago', () => {
  const { it, calls, clock } = start()
  calls('ok', 'failed', 'ok', 'failed', 'ok', 'failed', 'ok', 'failed')
  clock.now += 2000
  calls('ok', 'failed', 'ok', 'failed', 'ok', 'failed', 'ok', 'failed', 'ok')
  expect(it.blockedMs()).toBe(0)
  calls('failed')
  expect(it.blockedMs()).toBeGreaterThan(0)
})

test('one probe at a time; failed probes double the wait up to its maximum', () => {
  const { it, calls, clock } = start()
  calls('failed', 'failed', 'failed', 'failed', 'failed')
  for (const wait of [100, 200, 400, 400]) {
    expect(it.blockedMs()).toBeGreaterThanOrEqual(wait * 0.8)
    expect(it.blockedMs()).toBeLessThanOrEqual(wait)
    clock.now += wait
    const probe = it.enter()
    expect(probe).toBeDefined()
    expect(it.enter()).toBeUndefined()
    probe?.failed()
    probe?.ok()
  }
})

test('a probe that says nothing lets the next one try', () => {
  const { it, calls, clock, health } = start()
  calls('failed', 'failed', 'failed', 'failed', 'failed')
  clock.now += 100
  it.enter()?.unused()
  it.enter()?.ok()
  expect(it.blockedMs()).toBe(0)
  expect(health).toEqual([false, true])
  calls('failed', 'failed', 'failed', 'failed')
  expect(it.blockedMs()).toBe(0)
})

test('calls from before it opened change nothing afterwards', () => {
  const { it, calls, health } = start()
  const early = [it.enter(), it.enter()]
  calls('failed', 'failed', 'failed', 'failed', 'failed')
  const blocked = it.blockedMs()
  early[0]?.ok()
  early[1]?.failed()
  it.fault()
  expect(it.blockedMs()).toBe(blocked)
  expect(health).toEqual([false])
})

test('whatever happens, it lets a call pass again within its longest wait', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('ok', 'failed', 'unused'), fc.integer({ min: 0, max: 300 })), {
        maxLength: 80,
      }),
      (steps) => {
        const { it, clock } = start()
        for (const [result, ms] of steps) {
          it.enter()?.[result]()
          clock.now += ms
        }
        clock.now += 400
        expect(it.enter()).toBeDefined()
      },
    ),
  )
})
