import { expect, test } from '@jest/globals'
import { hash } from 'node:crypto'
import { apiKeyIdentifier, newApiKey } from './api-key.ts'
import type { ApiKeyEntry } from './api-key.ts'

const caller = { subject: 'batch', tenant: 'acme', roles: ['reader'], scopes: ['chat'] }
const { key, hash: stored } = newApiKey()
const identifier = apiKeyIdentifier({ keys: [{ hash: stored, ...caller }] })

const present = (headers: Record<string, string>, which = identifier) =>
  which.identify({ headers, certificate: undefined })

test('a key names its caller in each of the three headers', async () => {
  for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }, { 'api-key': key }])
    expect(await present(headers)).toEqual({ ...caller, via: 'api-key' })
})

test('new keys are different, long, and stored as nothing but their hash', () => {
  const keys = Array.from({ length: 100 }, () => newApiKey('corp-').key)
  expect(new Set(keys).size).toBe(100)
  for (const each of keys) expect(each).toMatch(/^corp-[0-9A-Za-z]{38}$/)
  expect(stored).toBe(`sha256:${hash('sha256', key)}`)
})

test('a mistyped key is told from an unknown one', async () => {
  const other = newApiKey().key
  await expect(present({ 'x-api-key': other })).rejects.toMatchObject({
    code: 'unauthenticated',
    details: [],
  })
  const swapped = key.slice(0, 10) + (key[10] === 'x' ? 'y' : 'x') + key.slice(11)
  for (const mistyped of [swapped, key.slice(0, -1), `${key}0`, key.toLowerCase(), '', 'hello'])
    await expect(present({ 'x-api-key': mistyped })).rejects.toMatchObject({
      code: 'unauthenticated',
      details: ['the API key is mistyped or cut off'],
    })
})

test('every change of one character is noticed as a typo', async () => {
  for (let at = 3; at < key.length; at++) {
    const changed = key.slice(0, at) + (key[at] === 'A' ? 'B' : 'A') + key.slice(at + 1)
    await expect(present({ 'api-key': changed })).rejects.toMatchObject({
      details: [expect.stringMatching(/mistyped/)],
    })
  }
})

test('bearer tokens without the prefix and headers that are not configured are left to others', async () => {
  expect(await present({ authorization: 'Bearer a.b.c' })).toBeUndefined()
  expect(await present({ authorization: `Basic ${key}` })).toBeUndefined()
  expect(await present({})).toBeUndefined()
  const narrow = apiKeyIdentifier({ keys: [{ hash: stored, ...caller }], headers: ['x-api-key'] })
  expect(await present({ authorization: `Bearer ${key}` }, narrow)).toBeUndefined()
  expect(narrow.challenge).toBe('ApiKey realm="postern"')
})

test('a key ends at its time', async () => {
  let now = Date.parse('2027-01-30T23:59:59Z')
  const ending = apiKeyIdentifier({
    keys: [{ hash: stored, ...caller, notAfter: '2027-01-31T00:00:00Z' }],
    now: () => now,
  })
  expect(await present({ 'x-api-key': key }, ending)).toBeDefined()
  now += 1000
  await expect(present({ 'x-api-key': key }, ending)).rejects.toMatchObject({ code: 'unauthenticated' })
})

test.each<[string, Partial<ApiKeyEntry>]>([
  ['a key instead of its hash', { hash: key }],
  ['an upper-case hash', { hash: stored.toUpperCase() }],
  ['no subject', { subject: '' }],
  ['an overlong tenant', { tenant: 't'.repeat(257) }],
  ['a time that is none', { notAfter: 'tomorrow' }],
])('an entry with %s is refused at start', (_, wrong) => {
  const build = () => apiKeyIdentifier({ keys: [{ hash: stored, ...caller, ...wrong }] })
  expect(build).toThrow(/api key 0/)
  expect(build).not.toThrow(key)
})

test('one hash for two callers is refused at start', () => {
  expect(() =>
    apiKeyIdentifier({
      keys: [
        { hash: stored, ...caller },
        { hash: stored, ...caller },
      ],
    }),
  ).toThrow(/twice/)
})
