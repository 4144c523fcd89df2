import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { X509Certificate } from 'node:crypto'
import { noLog, type LogFields } from '../../core/log.ts'
import { noMeter } from '../../core/metrics.ts'
import { fakeApi, type FakeApi } from '../test/fake-api.ts'
import type { Leader } from '../leader.ts'
import { keepCaBundle } from './ca-bundle.ts'
import { keepAuthority, type AuthorityKeeper } from './keeper.ts'
import { secretStore } from './secret.ts'
import { newKey } from './x509.ts'

const SECRET = '/api/v1/namespaces/postern/secrets/postern-ca'
const DAY = 86_400_000

let api: FakeApi
let open: { close(): Promise<void> }[] = []
let now = Date.now()
let events: string[] = []
beforeEach(async () => {
  api = await fakeApi()
  now = Date.now()
  events = []
})
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()))
  open = []
  await api.close()
})

const always = (leads: boolean): Leader => ({ leading: () => leads, onChange: () => () => undefined })

const keeper = async (leads: boolean): Promise<AuthorityKeeper> => {
  const note = (event: string, fields?: LogFields) => events.push(`${event} ${JSON.stringify(fields ?? {})}`)
  const kept = await keepAuthority({
    store: secretStore({
      kube: api.kube(),
      namespace: 'postern',
      name: 'postern-ca',
      owner: () => Promise.resolve(undefined),
    }),
    leader: always(leads),
    trustDomain: 'test.local',
    lifeMs: 30 * DAY,
    settleMs: 900_000,
    pollMs: 3_600_000,
    announce: (message) => events.push(message),
    log: { ...noLog, info: note, warn: note, error: note },
    meter: noMeter,
    now: () => now,
  })
  open.push(kept)
  return kept
}

const leaf = () => ({
  publicKey: newKey().publicKey,
  names: { dns: ['x.team.svc'] },
  notBefore: new Date(now),
  notAfter: new Date(now + DAY),
  usage: ['server'] as const,
})

const count = (pem: string): number => pem.match(/BEGIN/g)?.length ?? 0

test('replicas that start at once end up with one CA', async () => {
  const all = await Promise.all([keeper(false), keeper(true), keeper(false)])
  const [first, ...rest] = all.map((one) => one.authorities())
  expect(rest).toEqual([first, first])
  expect(new Set(all.map((one) => one.bundleKeys())).size).toBe(1)
  expect(count(first!)).toBe(1)
})

test('the leader makes the next CA in time; both are trusted, and the new one signs after it has settled', async () => {
  const leader = await keeper(true)
  const follower = await keeper(false)
  const first = leader.authorities()
  let changes = 0
  follower.onChange(() => changes++)
  now += 21 * DAY
  await follower.look()
  expect(follower.authorities()).toBe(first)
  await leader.look()
  await follower.look()
  expect(follower.authorities()).toBe(leader.authorities())
  expect([count(leader.authorities()), count(leader.bundleKeys())]).toEqual([2, 2])
  expect(leader.authorities().startsWith(first.trim())).toBe(true)
  expect(changes).toBe(1)
  const before = await follower.sign(leaf())
  now += 900_000
  const after = await follower.sign(leaf())
  const [old, next] = [0, 1].map(
    (at) => new X509Certificate(before.authorities.split(/(?<=END CERTIFICATE-----)\n/)[at]!),
  )
  expect(new X509Certificate(before.certificate).checkIssued(old!)).toBe(true)
  expect(new X509Certificate(after.certificate).checkIssued(next!)).toBe(true)
  expect(new X509Certificate(after.certificate).checkIssued(old!)).toBe(false)
  now += 10 * DAY
  await leader.look()
  expect(count(leader.authorities())).toBe(1)
  expect(events.join('\n')).toMatch(/A new CA is trusted from now on and signs from/)
})

test('a rotation can be asked for by annotation, and happens once', async () => {
  const leader = await keeper(true)
  const secret = api.objects.get(SECRET)!
  api.objects.set(SECRET, {
    ...secret,
    metadata: { ...secret.metadata, annotations: { 'postern.dev/rotate': 'now' } },
  })
  await leader.look()
  await leader.look()
  expect(count(leader.authorities())).toBe(2)
  expect(api.objects.get(SECRET)?.metadata.annotations).toBeUndefined()
})

test('older CAs are retired by annotation, but not before the newest has signed long enough for all to be renewed', async () => {
  const leader = await keeper(true)
  const first = leader.authorities()
  const secret = api.objects.get(SECRET)!
  const annotations = { 'postern.dev/rotate': 'now', 'postern.dev/retire': 'old' }
  api.objects.set(SECRET, { ...secret, metadata: { ...secret.metadata, annotations } })
  await leader.look()
  now += 900_000
  await leader.look()
  expect(count(leader.authorities())).toBe(2)
  now += 900_000
  await leader.look()
  expect([count(leader.authorities()), count(leader.bundleKeys())]).toEqual([1, 1])
  expect(leader.authorities()).not.toBe(first)
  expect(api.objects.get(SECRET)?.metadata.annotations).toBeUndefined()
  await leader.look()
  expect(events.filter((event) => event.startsWith('authority_retired'))).toEqual([
    'authority_retired {"retired":1}',
  ])
})

test('a replica that has not looked since the CA changed signs by the new one all the same', async () => {
  const leader = await keeper(true)
  const follower = await keeper(false)
  now += 21 * DAY
  await leader.look()
  const { authorities } = await follower.sign(leaf())
  expect(authorities).toBe(leader.authorities())
})

test('many that want a certificate at once cost few looks at the Secret', async () => {
  const follower = await keeper(false)
  const before = api.requests.length
  await Promise.all(Array.from({ length: 50 }, () => follower.sign(leaf())))
  expect(api.requests.length - before).toBeLessThanOrEqual(2)
})

test('a Secret that is damaged later changes nothing, is told once, and is never written over', async () => {
  const leader = await keeper(true)
  const before = leader.authorities()
  const damaged = { ...api.objects.get(SECRET)!, data: { 'state.json': Buffer.from('{').toString('base64') } }
  api.objects.set(SECRET, damaged)
  await leader.look()
  now += 25 * DAY
  await leader.look()
  expect(leader.authorities()).toBe(before)
  expect(api.objects.get(SECRET)).toBe(damaged)
  expect(events.filter((event) => event.startsWith('authority_unreadable'))).toHaveLength(1)
})

test('a Secret that is damaged at the start is an error that says what to do', async () => {
  api.objects.set(SECRET, { metadata: { name: 'postern-ca' }, data: { 'tls.crt': 'eA==' } })
  await expect(keeper(true)).rejects.toThrow(
    /Secret postern\/postern-ca has no key state.json: .* Delete it, or name another/,
  )
})

test('a Secret that somebody deletes is put back as it was', async () => {
  const leader = await keeper(true)
  const before = leader.authorities()
  api.objects.delete(SECRET)
  await leader.look()
  const again = await keeper(false)
  expect(again.authorities()).toBe(before)
})

test('no log line and no event holds a key or a part of one', async () => {
  const leader = await keeper(true)
  now += 21 * DAY
  await leader.look()
  api.broken = 500
  await leader.look()
  const secret = Buffer.from(String(api.objects.get(SECRET)!.data['state.json']), 'base64').toString()
  const keys = [...secret.matchAll(/BEGIN PRIVATE KEY-----\\n([A-Za-z0-9+/]{40})/g)].map((match) => match[1]!)
  expect(keys.length).toBeGreaterThanOrEqual(4)
  for (const key of keys) expect(events.join('\n')).not.toContain(key.slice(30))
  expect(events.join('\n')).toMatch(/authority_unreadable/)
})

test('the leader keeps caBundle, and only caBundle, at what is trusted', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/postern'
  const webhook = {
    name: 'pods.postern.dev',
    clientConfig: { service: { name: 'x' } },
    failurePolicy: 'Fail',
  }
  api.objects.set(path, { metadata: { name: 'postern', labels: { a: 'b' } }, webhooks: [webhook, webhook] })
  const leader = await keeper(true)
  const bundles = (leads: boolean) => {
    const options = { kube: api.kube(), configurations: ['missing', 'postern'], trust: leader }
    const kept = keepCaBundle({ ...options, leader: always(leads), pollMs: 3_600_000, log: noLog })
    open.push(kept)
    return kept
  }
  await bundles(false).look()
  expect(api.objects.get(path)?.webhooks[0].clientConfig.caBundle).toBeUndefined()
  await bundles(true).look()
  const { webhooks, metadata } = api.objects.get(path)!
  const caBundle = Buffer.from(leader.authorities()).toString('base64')
  const expected = { ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }
  expect(webhooks).toEqual([expected, expected])
  expect(metadata.labels).toEqual({ a: 'b' })
})
