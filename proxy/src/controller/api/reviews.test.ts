import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { noLog } from '../../core/log.ts'
import { noMeter } from '../../core/metrics.ts'
import { boundedKube } from '../kube.ts'
import { fakeApi, type FakeApi } from '../test/fake-api.ts'
import { reviewsRoute } from './reviews.ts'
import { tokens } from './token.ts'

let silent: FakeApi
beforeAll(async () => {
  silent = await fakeApi()
  silent.broken = 0
})
afterAll(() => silent.close())

const quiet = { log: noLog, meter: noMeter }
const body = Buffer.from(
  JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: 'a.b.c', audiences: ['postern'] },
  }),
)
const asked = (address: string, token = 'a.b.c') => ({
  headers: { authorization: `Bearer ${token}` },
  ...{ address, body, signal: AbortSignal.timeout(60_000) },
})
const waits = Symbol('waits')
/** What an answer is by now: `waits` while the API server, which says nothing here, is asked. */
const soon = async <T>(answer: Promise<T>): Promise<T | typeof waits> =>
  Promise.race([answer, new Promise<typeof waits>((done) => setTimeout(() => done(waits), 1500))])

test('guards of one namespace that ask all at once leave room for those of another', async () => {
  const route = reviewsRoute({
    ...{ kube: boundedKube(silent.kube()), ...quiet },
    tokens: {
      recentAccount: ({ address }) => Promise.resolve({ namespace: address, name: 'g', pod: undefined }),
    },
  })
  const ask = (namespace: string) => soon(Promise.resolve(route.handle(asked(namespace))))
  const crowd = await Promise.all(Array.from({ length: 40 }, () => ask('crowd')))
  expect(crowd.filter((answer) => answer === waits)).toHaveLength(16)
  expect(crowd.find((answer) => answer !== waits)).toMatchObject({
    status: 503,
    headers: { 'retry-after': '1' },
  })
  expect(await ask('other')).toBe(waits)
})

test('an address that shows token after token does not keep others from having theirs reviewed', async () => {
  const known = tokens({ kube: boundedKube(silent.kube()), audience: 'postern-controller', log: noLog })
  const show = (address: string, token: string) => {
    const shown = known.recentAccount(asked(address, token)).catch((error: unknown) => error)
    return soon(shown)
  }
  const flood = await Promise.all(Array.from({ length: 30 }, (_, n) => show('10.0.0.1', `a.b.c${n}`)))
  expect(flood.filter((answer) => answer === waits)).toHaveLength(8)
  expect(flood.find((answer) => answer !== waits)).toMatchObject({ status: 503 })
  expect(await show('10.0.0.2', 'x.y.z')).toBe(waits)
})
