import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { noMeter, type Meter } from '../../core/metrics.ts'
import { kubeApi } from '../kube/api.ts'
import { fakeApi, type FakeApi } from '../test/fake-api.ts'
import { seenNamespace } from './objects.ts'
import { adviser } from './tell-advice.ts'

let api: FakeApi
beforeAll(async () => {
  api = await fakeApi()
})
afterAll(() => api.close())

const pod = (name: string, labels: object = {}) => ({ metadata: { name, namespace: 'a', uid: name, labels } })
const guarded = seenNamespace({ metadata: { name: 'a', labels: { 'postern.dev/injection': 'enabled' } } })

test('a pod that came without a guard is counted within a minute, and one that only pretends stays counted', async () => {
  const pretender = pod('pretender', { 'postern.dev/injected': 'true' })
  let unmarked = [pod('old')]
  const lists: string[] = []
  api.answer = (_method, path, { query }) => {
    if (path !== '/api/v1/namespaces/a/pods') return undefined
    lists.push(query.get('labelSelector') ?? 'all')
    const items = query.has('labelSelector') ? unmarked : [...unmarked, pretender]
    return { status: 200, body: { items, metadata: {} } }
  }
  let count: number | undefined
  const meter: Meter = {
    ...noMeter,
    set: (name, value) => {
      if (name === 'postern_controller_pods_unguarded') count = value
    },
  }
  let now = 0
  const told: string[] = []
  const events = {
    tell: ({ about }: { readonly about: { readonly name: string } }) =>
      Promise.resolve(void told.push(about.name)),
  }
  const advise = adviser({ api: kubeApi(api.kube()), events, meter, now: () => now })
  const look = () => advise({ namespaces: [guarded], pods: [], services: [] }, AbortSignal.timeout(10_000))
  await look()
  expect(count).toBe(2)
  now += 59_000
  await look()
  expect(lists).toEqual(['all'])
  unmarked = [pod('old'), pod('new')]
  now += 1_000
  await look()
  expect(count).toBe(3)
  expect(told).toContain('new')
  now += 600_000
  await look()
  expect(lists).toEqual(['all', 'postern.dev/injected!=true', 'all'])
})
