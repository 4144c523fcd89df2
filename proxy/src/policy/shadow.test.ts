import { expect, test } from '@jest/globals'
import { noLog } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Actions, PolicyAnswer, PolicyEngine, PolicyInput } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { shadowed } from './shadow.ts'

const actions: Actions = { rules: {}, categories: {}, default: 'observe' }
const allow: PolicyAnswer = { allow: true, actions, obligations: {}, reasons: [] }
const deny: PolicyAnswer = { allow: false, reasons: ['role_denied'] }

const engine = (decide: () => Promise<PolicyAnswer>, closed: string[] = []): PolicyEngine => ({
  name: 'wasm',
  revision: () => 'r1',
  unready: () => undefined,
  decide,
  limits: () => Promise.resolve({ caller: {}, tenant: {}, model: {} }),
  close: () => {
    closed.push('closed')
    return Promise.resolve()
  },
})

const input: PolicyInput = {
  stage: 'request',
  caller: { subject: 's', tenant: 't', roles: [], scopes: [], via: 'v' },
  request: { route: 'openai.chat', model: 'm', stream: false, tools: [], params: {}, extras: [] },
  findings: [],
}

const counted = () => {
  const seen: string[] = []
  const meter: Meter = {
    add: (name, value, ...labels) => void seen.push(`${name} ${value} ${labels.join(' ')}`),
    set: () => undefined,
    observe: () => undefined,
  }
  return { meter, seen }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test.each<readonly [string, PolicyAnswer, PolicyAnswer]>([
  ['none', allow, { ...allow, reasons: ['other words'] }],
  ['none', deny, deny],
  ['would_allow', deny, allow],
  ['would_deny', allow, deny],
  ['other_actions', allow, { ...allow, actions: { ...actions, default: 'block' } }],
  ['other_obligations', allow, { ...allow, obligations: { max_tokens: 5 } }],
])('a difference is counted as %s, and the active policy decides', async (difference, active, shadow) => {
  const { meter, seen } = counted()
  const policy = shadowed(
    engine(() => Promise.resolve(active)),
    engine(() => Promise.resolve(shadow)),
    { meter, log: noLog },
  )
  expect(await policy.decide(input)).toBe(active)
  await settled()
  expect(seen).toEqual([`postern_policy_shadow_total 1 request ${difference}`])
})

test('a shadow that fails or never answers changes nothing, and does not pile up', async () => {
  const { meter, seen } = counted()
  const parts = { meter, log: noLog }
  const active = engine(() => Promise.resolve(allow))
  const failing = shadowed(
    active,
    engine(() => Promise.reject(new Refusal('guard_failed'))),
    parts,
  )
  expect(await failing.decide(input)).toBe(allow)
  await settled()
  expect(seen).toEqual(['postern_policy_shadow_total 1 request failed'])
  let asked = 0
  const stuck = shadowed(
    active,
    engine(() => {
      asked += 1
      return new Promise(() => undefined)
    }),
    parts,
  )
  for (let i = 0; i < 1000; i++) expect(await stuck.decide(input)).toBe(allow)
  expect(asked).toBe(256)
})

test('when the active policy does not answer, the shadow is not asked; both are closed', async () => {
  const closed: string[] = []
  let asked = 0
  const policy = shadowed(
    engine(() => Promise.reject(new Refusal('guard_unavailable')), closed),
    engine(() => Promise.resolve(((asked += 1), allow)), closed),
    { meter: counted().meter, log: noLog },
  )
  await expect(policy.decide(input)).rejects.toThrow(Refusal)
  expect(asked).toBe(0)
  await policy.close()
  expect(closed).toHaveLength(2)
})
