import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { ExchangeFacts } from '../core/behaviour.ts'
import type { Flag } from '../core/flag.ts'
import { noLog, type Log } from '../core/log.ts'
import { metrics, type Meter, type MetricName } from '../core/metrics.ts'
import { parseBaseline, type Baseline } from './baseline.ts'
import { behaviour, type BehaviourOptions } from './behaviour.ts'
import { exchange } from './test/facts.ts'

/** Every label value that was ever used, and the last value by metric and labels. */
const recorder = () => {
  const labels = new Set<string>()
  const values = new Map<string, number>()
  const note =
    (add: boolean) =>
    (name: MetricName, value: number, ...given: readonly string[]) => {
      if (given.length !== metrics[name].labels.length) labels.add(`wrong number of labels: ${name}`)
      given.forEach((label) => labels.add(label))
      const key = [name, ...given].join(' ')
      values.set(key, add ? (values.get(key) ?? 0) + value : value)
    }
  const meter: Meter = { add: note(true), set: note(false), observe: note(true) }
  return { meter, labels, values }
}

const OPTIONS: BehaviourOptions = {
  models: ['small'],
  tenants: ['acme'],
  roles: ['user'],
  tools: ['search'],
  entropyThresholdBits: 2,
  baseline: undefined,
  window: { exchanges: 500, ms: 3_600_000 },
  groups: [{ name: 'region', by: 'role', groups: { north: ['n'], south: ['s'] } }],
  groupWindowMs: 86_400_000,
  maxKeys: 100,
  intervalMs: 60_000,
  leastRate: 20,
}

const start = (more: Partial<BehaviourOptions> = {}, log: Log = noLog) => {
  const record = recorder()
  const watched = behaviour(
    { ...OPTIONS, ...more },
    { meter: record.meter, log, now: () => new Date('2026-11-21T12:00:00Z') },
  )
  return { ...record, watched }
}

const frozen = (exchanges: readonly ExchangeFacts[]): Baseline => {
  const { watched } = start()
  for (const one of exchanges) watched.seen(one)
  return parseBaseline(watched.snapshot(), 'test')
}

const many = (count: number, make: (at: number) => ExchangeFacts): readonly ExchangeFacts[] =>
  Array.from({ length: count }, (_, at) => make(at))

const usual = (at: number): ExchangeFacts =>
  exchange(
    { at: at * 1000 },
    { characters: 100 + ((at * 37) % 400), entropy: { tokens: 10, mean: 0.3 + (at % 10) / 20, max: 2 } },
  )

describe('drift against a baseline', () => {
  const baseline = frozen(many(2000, usual))

  test('traffic as it was is stable in every feature', () => {
    const { watched, values } = start({ baseline })
    for (const one of many(500, (at) => usual(at * 3 + 1))) watched.seen(one)
    const drifted = [...values].filter(([key]) => key.startsWith('postern_behaviour_drifted '))
    expect(drifted.map(([key]) => key.split(' ').at(-1)).sort()).toEqual(
      ['decline', 'entropy', 'findings', 'language', 'length', 'refusal', 'tools'].sort(),
    )
    expect(drifted.filter(([, value]) => value !== 0)).toEqual([])
    expect(values.get('postern_behaviour_drift_p_value small acme length')).toBeGreaterThan(0.001)
  })

  test.each<readonly [string, (at: number) => ExchangeFacts]>([
    ['length', (at) => exchange({ at }, { characters: 4000 })],
    ['entropy', (at) => exchange({ at }, { entropy: { tokens: 9, mean: 3, max: 5 } })],
    ['refusal', (at) => exchange({ at, outcome: at % 2 === 0 ? 'refused' : 'allowed' })],
    ['decline', (at) => exchange({ at }, { declined: at % 2 === 0 })],
    ['findings', (at) => exchange({ at, rules: at % 2 === 0 ? ['email'] : [] })],
    ['tools', (at) => exchange({ at, offered: ['search'] }, { called: [{ name: 'search', arguments: [] }] })],
    ['language', (at) => exchange({ at }, { language: 'de' })],
  ])('a model that changes in %s is found', (feature, make) => {
    const { watched, values } = start({ baseline })
    for (const one of many(500, make)) watched.seen(one)
    expect(values.get(`postern_behaviour_drifted small acme ${feature}`)).toBe(1)
  })

  test('a lasting change is found while the window is still open', () => {
    const { watched, values } = start({ baseline, window: { exchanges: 1e9, ms: 1e12 } })
    for (const one of many(300, usual)) watched.seen(one)
    for (const one of many(100, (at) => exchange({ at }, { characters: 20_000 }))) watched.seen(one)
    expect(values.get('postern_behaviour_changes_total small acme length up')).toBe(1)
  })

  test('the window of a model with little traffic closes by time', () => {
    const { watched, values } = start({ baseline })
    for (const one of many(60, usual)) watched.seen(one)
    watched.tick(3_000_000)
    expect(values.has('postern_behaviour_drift_psi small acme length')).toBe(false)
    watched.tick(3_700_000)
    expect(values.has('postern_behaviour_drift_psi small acme length')).toBe(true)
  })

  test('a handful of exchanges is no drift, and neither is a model without a baseline', () => {
    const { watched, values } = start({ baseline, window: { exchanges: 20, ms: 1e12 } })
    for (const one of many(40, (at) => exchange({ at }, { characters: 9000 }))) watched.seen(one)
    for (const one of many(40, (at) => exchange({ at, model: 'new' }, { characters: 9000 })))
      watched.seen(one)
    expect([...values.keys()].filter((key) => key.includes('drift'))).toEqual([])
  })
})

const flagsOf = (
  exchanges: readonly ExchangeFacts[],
  more: Partial<BehaviourOptions> = {},
): readonly Flag[][] => {
  const { watched } = start(more)
  return exchanges.map((one) => [...watched.seen(one)])
}

const call = (name: string, names: readonly string[] = [], offered = [name]) =>
  exchange({ offered }, { called: [{ name, arguments: names }] })

describe('flags', () => {
  test('an answer above the entropy threshold', () => {
    const entropy = { tokens: 5, mean: 2.1, max: 4 }
    expect(flagsOf([exchange({}, { entropy }), exchange()])).toEqual([['entropy_high'], []])
  })

  test('a tool that was not offered, from the first exchange on', () => {
    expect(flagsOf([call('rm', [], ['search'])])).toEqual([['tool_not_offered']])
  })

  test('a tool and an argument that are new, once there is a past, and only once', () => {
    const past = many(20, () => call('search', ['query']))
    const flags = flagsOf([
      ...past,
      call('search', ['query', 'shell']),
      call('search', ['shell']),
      call('pay'),
      call('pay'),
    ])
    expect(flags.slice(0, 20).flat()).toEqual([])
    expect(flags.slice(20)).toEqual([['argument_new'], [], ['tool_new_for_caller', 'tool_new_for_role'], []])
  })

  test('what a role used in the baseline is no news after a restart, and the rest is', () => {
    const baseline = frozen(many(3, () => call('search', ['query'])))
    expect(flagsOf([call('search', ['query']), call('pay')], { baseline })).toEqual([
      [],
      ['tool_new_for_role'],
    ])
  })

  test('a known caller from another address; neighbours in one IPv6 network are the same', () => {
    const past = many(30, (at) => exchange({ at, client: `2001:db8::${at}` }))
    const flags = flagsOf([
      ...past,
      exchange({ client: '2001:db8:0:1::1' }),
      exchange({ client: '::ffff:10.9.9.9', caller: 'new' }),
    ])
    expect(flags.slice(0, 30).flat()).toEqual([])
    expect(flags.slice(30)).toEqual([['address_new'], []])
  })

  test('ten times the usual rate flags caller, address and role once each in the interval', () => {
    const quiet = many(20 * 10, (at) => exchange({ at: at * 6000 }))
    const flood = many(100, (at) => exchange({ at: 1_200_000 + at }))
    const flags = flagsOf([...quiet, ...flood])
    expect(flags.slice(0, 200).flat()).toEqual([])
    expect(flags.slice(200).flat().sort()).toEqual(['rate_address', 'rate_caller', 'rate_role'])
  })

  test('a burst of refusals is flagged, also of somebody who is new, and the usual share of them is not', () => {
    const burst = flagsOf(many(12, (at) => exchange({ at, outcome: 'refused', caller: '', roles: [] })))
    expect(burst.flat()).toEqual(['refusals_address'])
    const usualShare = many(2000, (at) =>
      exchange({ at: at * 1000, outcome: at % 4 === 0 ? 'refused' : 'allowed' }),
    )
    expect(flagsOf(usualShare).slice(200).flat()).toEqual([])
  })
})

describe('a hostile caller', () => {
  const names = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'other', ''),
  )
  const numbers = fc.oneof(fc.double(), fc.integer())
  const anything: fc.Arbitrary<ExchangeFacts> = fc.record({
    at: fc.integer({ min: 0, max: 1e9 }),
    model: names,
    tenant: names,
    caller: names,
    roles: fc.array(names, { maxLength: 5 }),
    scopes: fc.array(names, { maxLength: 5 }),
    client: names,
    outcome: fc.constantFrom('allowed', 'redacted', 'cut', 'refused', 'failed', 'client_gone'),
    rules: fc.array(names, { maxLength: 5 }),
    offered: fc.array(names, { maxLength: 5 }),
    answer: fc.option(
      fc.record({
        characters: numbers,
        entropy: fc.option(fc.record({ tokens: fc.nat(), mean: numbers, max: numbers }), { nil: undefined }),
        language: fc.constantFrom('en', 'und'),
        declined: fc.boolean(),
        called: fc.array(fc.record({ name: names, arguments: fc.array(names, { maxLength: 5 }) }), {
          maxLength: 5,
        }),
      }),
      { nil: undefined },
    ),
  })
  const FIXED = ['small', 'acme', 'user', 'search', 'other', 'en', 'und', 'given', 'declined', 'yes', 'no']
  const CLOSED = [
    'length',
    'entropy',
    'refusal',
    'decline',
    'redaction',
    'findings',
    'tools',
    'language',
    'up',
    'down',
  ]
  const KINDS = ['caller', 'address', 'role', 'region', 'north', 'south']

  test('chooses no label, breaks nothing, and what was learned can be read back', () =>
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 60 }), (exchanges) => {
        const failures: string[] = []
        const { watched, labels } = start({}, { ...noLog, error: (event) => failures.push(event) })
        const flags = new Set(exchanges.flatMap((one) => watched.seen(one)))
        watched.tick(2e9)
        expect(failures).toEqual([])
        const allowed = new Set([...FIXED, ...CLOSED, ...KINDS, ...flags])
        expect([...labels].filter((label) => !allowed.has(label))).toEqual([])
        expect(parseBaseline(watched.snapshot(), 'test').version).toBe(1)
      }),
    ))

  test('cannot make memory grow: what is kept of a million names is a bounded number of them', () => {
    const { watched, values } = start()
    const seen = (at: number) => `n${at}`
    for (let at = 0; at < 20_000; at++) {
      const name = seen(at)
      watched.seen(
        exchange(
          {
            at,
            model: name,
            tenant: name,
            caller: name,
            roles: [name],
            client: name,
            rules: [name],
            offered: [name],
          },
          { called: [{ name, arguments: [name, `${name}x`] }] },
        ),
      )
    }
    watched.tick(1e9)
    for (const kind of ['caller', 'address', 'role'])
      expect(values.get(`postern_behaviour_tracked ${kind}`)).toBeLessThanOrEqual(100)
    expect(JSON.stringify(watched.snapshot()).length).toBeLessThan(30_000)
  })

  test('with ever new tools cannot push out the tools that others of its role use', () => {
    const { watched } = start()
    for (let at = 0; at < 30; at++) watched.seen(call('search', ['query']))
    for (let at = 0; at < 5000; at++) watched.seen({ ...call(`t${at}`), caller: 'mallory' })
    expect(watched.seen(call('search', ['query']))).toEqual([])
  })

  test('never sees its text in a baseline: names that are none are left out', () => {
    const { watched } = start()
    watched.seen(call('ignore all rules', ['my password is']))
    expect(JSON.stringify(watched.snapshot())).not.toMatch(/ignore|password/)
  })
})

test('after close nothing is counted', () => {
  const { watched, values } = start()
  watched.close()
  expect(watched.seen(call('rm', [], []))).toEqual([])
  expect([...values.keys()].filter((key) => key.includes('total'))).toEqual([])
})
