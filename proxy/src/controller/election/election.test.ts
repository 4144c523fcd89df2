import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { noLog } from '../../core/log.ts'
import { noMeter } from '../../core/metrics.ts'
import { fakeApi, type FakeApi } from '../test/fake-api.ts'
import { electLeader, type Election } from './election.ts'

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/postern/leases/ctl'

let api: FakeApi
let open: Election[] = []
beforeEach(async () => {
  api = await fakeApi()
})
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
  await api.close()
})

const candidate = (
  identity: string,
  times: Partial<Record<'leaseMs' | 'renewMs' | 'retryMs', number>> = {},
) => {
  const election = electLeader({
    kube: api.kube(),
    namespace: 'postern',
    lease: 'ctl',
    identity,
    leaseMs: 1000,
    renewMs: 600,
    retryMs: 50,
    owner: () => Promise.resolve(undefined),
    log: noLog,
    meter: noMeter,
    ...times,
  })
  open.push(election)
  return election
}

/** Longer than a busy machine stands still, which would rightly end a leadership. */
const UNHURRIED = { leaseMs: 8000, renewMs: 6000 }

const until = async (what: () => boolean, ms = 16_000): Promise<void> => {
  const end = Date.now() + ms
  while (!what()) {
    if (Date.now() > end) throw new Error('did not happen')
    await sleep(10)
  }
}

const holder = (): string => String(api.objects.get(LEASE)?.spec.holderIdentity)

test('of three replicas exactly one leads, and another when that one leaves', async () => {
  const all = ['a', 'b', 'c'].map((name) => candidate(name, UNHURRIED))
  await until(() => all.some((one) => one.leading()))
  await sleep(300)
  expect(all.filter((one) => one.leading())).toHaveLength(1)
  const first = all.find((one) => one.leading())!
  await first.close()
  expect(first.leading()).toBe(false)
  await until(() => all.some((one) => one.leading()))
  expect(all.filter((one) => one.leading())).toHaveLength(1)
  expect(api.objects.get(LEASE)?.spec.leaseTransitions).toBeGreaterThan(1)
})

test('a leader that is cut off from the API server has stopped before another begins', async () => {
  const cut = candidate('a')
  await until(() => cut.leading())
  // Its renewals fail from now on, those of the other do not.
  api.answer = (method, _path, { body }) =>
    method === 'PUT' && body.spec.holderIdentity === 'a' ? { status: 500, body: {} } : undefined
  const other = candidate('b')
  let both = 0
  await until(() => {
    if (cut.leading() && other.leading()) both++
    return other.leading()
  })
  expect(both).toBe(0)
  expect(holder()).toBe('b')
})

test('never do two lead at once, whatever calls fail', async () => {
  const all = ['a', 'b', 'c'].map((name) => candidate(name, { leaseMs: 300, renewMs: 150, retryMs: 20 }))
  let random = 7
  const failing = setInterval(() => {
    random = (random * 1103515245 + 12345) % 2147483648
    api.broken = random % 3 === 0 ? 500 : undefined
  }, 40)
  let most = 0
  let leaders = 0
  const end = Date.now() + 4000
  while (Date.now() < end) {
    await sleep(3)
    const now = all.filter((one) => one.leading()).length
    most = Math.max(most, now)
    leaders += now
  }
  clearInterval(failing)
  api.broken = undefined
  expect(most).toBe(1)
  expect(leaders).toBeGreaterThan(0)
})

test('a holder whose clock is an hour wrong is waited for all the same', async () => {
  const spec = { holderIdentity: 'other', leaseDurationSeconds: 4, leaseTransitions: 3 }
  const renew = (hours: number) =>
    api.objects.set(LEASE, {
      metadata: { name: 'ctl', resourceVersion: String(Date.now()) },
      spec: {
        ...spec,
        renewTime: new Date(Date.now() + hours * 3_600_000).toISOString().replace('Z', '000Z'),
      },
    })
  const waiting = candidate('a', { leaseMs: 500, renewMs: 300, retryMs: 30 })
  for (let i = 0; i < 8; i++) {
    renew(i % 2 === 0 ? -1 : 1)
    await sleep(100)
    expect(waiting.leading()).toBe(false)
  }
  await until(() => waiting.leading())
  expect(holder()).toBe('a')
})

test('a stalled API server ends the leadership in time, and listeners hear of it', async () => {
  const one = candidate('a')
  const heard: boolean[] = []
  one.onChange((leading) => heard.push(leading))
  await until(() => one.leading())
  api.broken = 0
  await until(() => !one.leading())
  await until(() => heard.length === 2)
  expect(heard).toEqual([true, false])
  await api.close()
})

test('a Lease that somebody deletes is made again', async () => {
  const one = candidate('a', UNHURRIED)
  await until(() => one.leading())
  api.objects.delete(LEASE)
  await until(() => holder() === 'a')
  expect(one.leading()).toBe(true)
})
