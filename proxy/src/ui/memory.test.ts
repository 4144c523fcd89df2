import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { hourCounters } from './hour.ts'
import { LATENCY_CELLS, latencyCell, percentile } from './latency.ts'
import { decisionRing } from './ring.ts'
import { summariser } from './summarise.ts'
import { watchDecisions } from './seen.ts'
import { finding, record, refused } from './test/samples.ts'

const summarise = summariser({ plainPath: (path) => path.replace('/secret', '/*') })

describe('a decision as it is remembered', () => {
  test('is bounded whatever the record holds', () => {
    const long = 'ä'.repeat(100_000)
    const many = Array.from({ length: 1000 }, (_, i) => `${i}`)
    const kept = summarise(
      refused({
        model: long,
        reasons: [long, ...many],
        findings: many.map(() => finding({ rule: long, path: long, evidence: many })),
        caller: { subject: long, tenant: long, roles: many, scopes: many, via: long },
        timings: Object.fromEntries(many.map((name) => [name, 1])),
        decisions: many.map(() => ({
          stage: 'request',
          allow: true,
          reasons: many,
          revision: long,
          times: 1,
        })),
      }),
    )
    expect(kept.model).toHaveLength(256)
    expect(kept.findings).toHaveLength(32)
    expect(kept.omitted).toBe(968)
    expect(JSON.stringify(kept).length).toBeLessThan(60_000)
  })

  test('shows of a path only what may be shown', () => {
    const { findings } = summarise(refused({ findings: [finding({ path: '/arguments/secret/0' })] }))
    expect(findings[0]!.path).toBe('/arguments/*/0')
  })

  test('keeps strings of any kind as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (model) => {
        expect(summarise(record({ model })).model).toBe(model)
      }),
    )
    expect(summarise(record({ model: 'a\ud800b' })).model).toBe('a\ud800b')
  })

  test('a record that is broken breaks nothing', () => {
    const watch = watchDecisions({ size: 2, plainPath: (path) => path })
    watch.seen({} as never)
    watch.seen(record())
    expect(watch.decisions.count).toBe(1)
  })
})

describe('the ring', () => {
  test('has the newest that fit, in order, like a list that is cut', () => {
    const outcome = fc.constantFrom('allowed' as const, 'refused' as const)
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (seen, size) => {
        const ring = decisionRing({ size })
        const all = seen.map((one) => summarise(record({ outcome: one })))
        for (const decision of all) ring.seen(decision)
        const expected = all.slice(-size).reverse()
        expect(ring.recent({ limit: 100 })).toEqual(expected)
        expect(ring.recent({ filter: { outcome: 'refused' }, limit: 3 })).toEqual(
          expected.filter((decision) => decision.outcome === 'refused').slice(0, 3),
        )
        expect(ring.recent({ after: all.length - 2, limit: 100 })).toEqual(expected.slice(0, 2))
        expect(ring.count).toBe(all.length)
      }),
    )
  })

  test('forgets what it has no room for, also by id', () => {
    const ring = decisionRing({ size: 2 })
    const all = ['aa1', 'aa2', 'aa3'].map((id) => summarise(record({ id })))
    for (const decision of all) ring.seen(decision)
    expect(ring.find('aa').map(({ id }) => id)).toEqual(['aa3', 'aa2'])
    expect(ring.find('aa1')).toEqual([])
  })

  test('remembers the last eight revisions of the policy', () => {
    const ring = decisionRing({ size: 1 })
    for (let i = 0; i < 30; i++)
      ring.seen(summarise(record({ policy: { engine: 'wasm', revision: `r${Math.floor(i / 3)}` } })))
    expect(ring.revisions().map(({ revision }) => revision)).toEqual([
      'r9',
      'r8',
      'r7',
      'r6',
      'r5',
      'r4',
      'r3',
      'r2',
    ])
  })

  test.each([0, -1, 1.5, 100_001, NaN])('a size of %p is refused', (size) => {
    expect(() => decisionRing({ size })).toThrow(RangeError)
  })
})

describe('the counters of the hour', () => {
  const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

  test('count what happened in the last hour, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 60 }), (pauses) => {
        let now = 1_000_000
        const hour = hourCounters({ elapsedS: () => now })
        const seen: number[] = []
        for (const pause of pauses) {
          now += pause
          seen.push(now)
          hour.seen(summarise(record()))
        }
        const since = (Math.floor(now / 60) - 59) * 60
        const { outcomes, times, tokens } = hour.series('hour')
        const expected = seen.filter((at) => at >= since).length
        expect(total(outcomes.allowed)).toBe(expected)
        expect(total(tokens.input)).toBe(30 * expected)
        expect(times).toHaveLength(60)
        const recent = (Math.floor(now / 10) - 59) * 10
        expect(total(hour.series('minutes').outcomes.allowed)).toBe(seen.filter((at) => at >= recent).length)
      }),
    )
  })

  test('names beyond the room count together, and get room when others were quiet for an hour', () => {
    let now = 500_000
    const hour = hourCounters({ elapsedS: () => now })
    const see = (from: number, to: number): void => {
      for (let i = from; i < to; i++)
        hour.seen(summarise(refused({ findings: [finding({ rule: `rule-${i}` })] })))
    }
    see(0, 200)
    const { rules } = hour.series('hour')
    expect(rules.length).toBe(96)
    expect(rules[0]).toMatchObject({ name: 'other', total: 105 })
    now += 4000
    see(1000, 1010)
    expect(
      hour
        .series('hour')
        .rules.map(({ name }) => name)
        .sort()
        .slice(0, 3),
    ).toEqual(['rule-1000', 'rule-1001', 'rule-1002'])
  })

  test('a denial counts by the reasons of the policy', () => {
    const hour = hourCounters()
    hour.seen(summarise(refused({ reasons: ['policy_denied', 'model_not_allowed', 'night'], findings: [] })))
    expect(hour.series('hour').reasons.map(({ name }) => name)).toEqual(['model_not_allowed', 'night'])
  })

  test('percentiles are within 10 %', () => {
    const times = fc.array(fc.double({ min: 0.07, max: 60_000, noNaN: true }), {
      minLength: 1,
      maxLength: 200,
    })
    fc.assert(
      fc.property(times, fc.constantFrom(0.5, 0.95, 0.99), (ms, p) => {
        const histogram = new Float64Array(LATENCY_CELLS)
        for (const one of ms) histogram[latencyCell(one)]! += 1
        const exact = ms.toSorted((a, b) => a - b)[Math.ceil(ms.length * p) - 1]!
        expect(Math.abs(percentile(histogram, p)! / exact - 1)).toBeLessThan(0.1)
      }),
    )
    expect(percentile(new Float64Array(LATENCY_CELLS), 0.5)).toBeUndefined()
    expect([0, -1, 1e12].map(latencyCell)).toEqual([0, 0, LATENCY_CELLS - 1])
  })
})
