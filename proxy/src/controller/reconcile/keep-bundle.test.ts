import { expect, test } from '@jest/globals'
import { noLog } from '../../core/log.ts'
import { noMeter } from '../../core/metrics.ts'
import type { Actual, Desired } from '../kube/keep.ts'
import type { Built } from '../policies/build.ts'
import { openBundle } from '../policies/bundle.ts'
import { collect } from '../policies/collect.ts'
import { builtIn, configMap, signingKey } from '../policies/test/samples.ts'
import { bundleIn } from './bundle-store.ts'
import { bundleKeeper } from './keep-bundle.ts'
import { standingOf, type Outcome } from './status.ts'

const owner = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'o', uid: 'u' }
const { signal } = new AbortController()

/** A cluster with one ConfigMap, and a build that counts and can be made to fail. */
const world = (tryBundle: (bytes: Uint8Array) => Promise<void> = () => Promise.resolve()) => {
  let stored: Actual | undefined
  let builds = 0
  let fail: Built | undefined
  const put = (desired: Desired): Promise<boolean> => {
    stored = { ...desired.content, metadata: { name: desired.name, annotations: desired.annotations ?? {} } }
    return Promise.resolve(true)
  }
  const keep = () =>
    bundleKeeper({
      ...{ namespace: 'postern', builtIn, tryBundle, log: noLog, meter: noMeter },
      build: () => {
        builds++
        return Promise.resolve(fail ?? { policy: builtIn })
      },
      keeper: { put, remove: () => Promise.resolve() },
    })
  let keeper = keep()
  return {
    pass: (
      key: ReturnType<typeof signingKey>,
      ...maps: readonly ReturnType<typeof configMap>[]
    ): Promise<Outcome> => keeper({ collected: collect(maps), stored, key, owner }, signal),
    builds: () => builds,
    stored: () => bundleIn(stored),
    lose: () => (stored = undefined),
    failWith: (built: Built | undefined) => (fail = built),
    nextLeader: () => (keeper = keep()),
  }
}

const key = signingKey()
const good = configMap('good', { 'a.json': '{}' })
const broken = configMap('broken', { 'a.json': '{' })

test('equal sources are built once, also by the next leader', async () => {
  const its = world()
  await its.pass(key, good)
  await its.pass(key, good)
  its.nextLeader()
  const outcome = await its.pass(key, good)
  expect(its.builds()).toBe(1)
  expect(outcome.applied('good')).toBe(true)
  await its.pass(key)
  expect(its.builds()).toBe(2)
})

test('the last good bundle outlives broken sources, a lost ConfigMap and a new key, and is not built for them', async () => {
  const its = world()
  const { revision } = await its.pass(key, good)
  const outcome = await its.pass(key, good, broken)
  expect(outcome.problems).toMatchObject([{ code: 'data_invalid', configMap: 'broken' }])
  expect([outcome.revision, outcome.applied('good'), outcome.applied('broken')]).toEqual([
    revision,
    true,
    false,
  ])
  its.lose()
  const next = signingKey()
  await its.pass(next, good, broken)
  expect(openBundle(its.stored()!.bytes, next)?.madeOf).toMatchObject({ good: expect.any(String) })
  expect(its.builds()).toBe(1)
})

test('a bundle of another key is nothing to go on for a new leader', async () => {
  const its = world()
  await its.pass(key, good)
  its.nextLeader()
  expect(await its.pass(signingKey(), broken)).toMatchObject({ revision: undefined })
})

test('the same refusal is not built twice, a failure of a tool is', async () => {
  const its = world()
  its.failWith({ problems: [{ code: 'rego_invalid', configMap: 'good', message: 'x' }] })
  await its.pass(key, good)
  await its.pass(key, good)
  expect(its.builds()).toBe(1)
  its.failWith({ problems: [{ code: 'tool_failed', configMap: 'good', message: 'x' }] })
  const other = configMap('good', { 'b.json': '{}' })
  await its.pass(key, other)
  await its.pass(key, other)
  expect(its.builds()).toBe(3)
})

test('a bundle that guards cannot work with is refused, and what changed is to blame', async () => {
  let works = true
  const its = world(() => (works ? Promise.resolve() : Promise.reject(new Error('role user gets no answer'))))
  await its.pass(key, good)
  works = false
  const outcome = await its.pass(key, good, configMap('new', { 'b.json': '{}' }))
  expect(outcome.problems).toEqual([
    {
      code: 'bundle_invalid',
      configMap: 'new',
      message: 'guards could not work with the policies together: role user gets no answer',
    },
  ])
})

test('each ConfigMap is told its own part', () => {
  const outcome: Outcome = {
    revision: 'r1',
    problems: [
      { code: 'rego_invalid', configMap: 'bad', key: 'x.rego', line: 3, message: 'undefined function f' },
      { code: 'rego_invalid', configMap: 'bad', key: 'x.rego', line: 4, message: 'more' },
    ],
    applied: (name) => name === 'old',
  }
  expect(standingOf('old', outcome).status).toBe('{"status":"ok","revision":"r1"}')
  expect(JSON.parse(standingOf('bad', outcome).status)).toEqual({
    status: 'error',
    error: { code: 'rego_invalid', message: 'key x.rego, line 3: undefined function f (and 1 more)' },
  })
  expect(standingOf('bad', outcome).notice).toMatchObject({
    reason: 'PolicyRejected',
    message: expect.stringContaining('The policy in force stays (revision r1).'),
  })
  expect(standingOf('new', outcome).notice).toMatchObject({ reason: 'PolicyHeld', type: 'Warning' })
})
