import { expect, test } from '@jest/globals'
import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import {
  authoritiesPem,
  isRotationDue,
  newGeneration,
  readGenerations,
  rotated,
  StateError,
  trustedAt,
  writeGenerations,
} from './state.ts'

const DAY = 86_400_000
const options = { trustDomain: 'test.local', lifeMs: 30 * DAY, settleMs: 900_000 }
const now = Date.now()
const first = await newGeneration(options, { now, signsFrom: now })

test('what was written is read again as it was', () => {
  expect(readGenerations(writeGenerations([first]))).toEqual([first])
})

test('a new CA is trusted at once, signs when it is known everywhere, and the old one is trusted to its end', async () => {
  const both = await rotated([first], options, now + 20 * DAY)
  const [old, next] = both
  expect(trustedAt(both, now + 20 * DAY)).toEqual([old, next])
  expect(trustedAt(both, now + 20 * DAY + 900_000)).toEqual([next, old])
  expect(trustedAt(both, now + 30 * DAY - 1000)).toEqual([next, old])
  expect(trustedAt(both, now + 30 * DAY)).toEqual([next])
  expect(trustedAt(both, now + 51 * DAY)).toEqual([])
})

test('rotation is due when a third is left, once', async () => {
  expect(isRotationDue([first], now + 19 * DAY, options.lifeMs)).toBe(false)
  expect(isRotationDue([first], now + 21 * DAY, options.lifeMs)).toBe(true)
  const both = await rotated([first], options, now + 21 * DAY)
  expect(isRotationDue(both, now + 21 * DAY, options.lifeMs)).toBe(false)
})

test('a CA that comes after all have ended signs at once', async () => {
  const late = now + 40 * DAY
  const fresh = await rotated([first], options, late)
  expect(fresh).toHaveLength(1)
  expect(trustedAt(fresh, late)).toHaveLength(1)
})

test('there is always exactly one signer while any CA lives', async () => {
  const times = [10, 21, 33, 44].map((day) => now + day * DAY)
  let generations: Awaited<ReturnType<typeof rotated>> = [first]
  for (const time of times) generations = [...generations, ...(await rotated([], options, time))]
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 73 * DAY }), (after) => {
      const trusted = trustedAt(generations, now + after)
      expect(trusted.length).toBeGreaterThan(0)
      expect(new Set(trusted).size).toBe(trusted.length)
      expect(trusted[0]!.notAfter).toBeGreaterThan(now + after)
    }),
  )
})

test('every CA has a name of its own and can be told from the others', async () => {
  const other = await newGeneration(options, { now, signsFrom: now })
  const [a, b] = [first, other].map(({ certificate }) => new X509Certificate(certificate))
  expect(a!.subject).not.toBe(b!.subject)
  expect(a!.subject).toMatch(/CN=postern-ca-[0-9a-f]{8}/)
  expect(authoritiesPem([first, other]).match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
})

const good = JSON.parse(writeGenerations([first])) as { generations: Record<string, unknown>[] }
const changed = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...good, generations: [{ ...good.generations[0], ...change }] })
const other = await newGeneration(options, { now, signsFrom: now })

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['an empty list', JSON.stringify({ ...good, generations: [] })],
  ['a later version', JSON.stringify({ ...good, version: 2 })],
  ['a key that is not known', JSON.stringify({ ...good, more: 1 })],
  ['half a certificate', changed({ certificate: first.certificate.slice(0, 200) })],
  ['the key of another CA', changed({ key: other.key })],
  ['a certificate that is no CA', changed({ certificate: other.certificate })],
  ['no bundle key', changed({ bundleKey: 'none' })],
  ['no date', changed({ signsFrom: 'soon' })],
])('a Secret with %s is an error that says what to do and holds no key', (_, text) => {
  const read = () => readGenerations(text)
  expect(read).toThrow(StateError)
  expect(read).toThrow(/Restore it from a backup/)
  expect(read).not.toThrow(/PRIVATE|MIG|MHc/)
})
