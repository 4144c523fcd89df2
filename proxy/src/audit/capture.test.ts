import { createHash, generateKeyPairSync } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { captureFile, type CaptureOptions } from './capture.ts'
import { auditorPrivateKey } from './capture-key.ts'
import { captured, type Captured, type Unread } from './decrypt.ts'
import { quiet } from './samples.ts'

const pem = (pair: ReturnType<typeof x25519>) => ({
  publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
})
const x25519 = () => generateKeyPairSync('x25519')
const auditor = pem(x25519())

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-capture-'))
  path = join(folder, 'captures.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const options = (more: Partial<CaptureOptions> = {}): CaptureOptions => ({
  path,
  publicKey: auditor.publicKey,
  tenants: ['acme'],
  maxBytes: 1 << 30,
  maxAgeMs: Infinity,
  keepFiles: 10,
  keepMs: Infinity,
  maxQueue: 1 << 20,
  stallMs: 5000,
  onFailure: 'refuse',
  ...more,
})

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const textOf = (value: string) => ({
  direction: 'request' as const,
  path: '/messages/0/content',
  sha256: sha256(value),
  value,
})
const of = (id: string) => ({ id, tenant: 'acme' })

const read = async (file = path, key = auditor.privateKey, id?: string) => {
  const all: (Captured | Unread)[] = []
  for await (const one of captured(file, { key: auditorPrivateKey(key, undefined), id })) all.push(one)
  return all
}

test.each([
  ['X25519', auditor],
  ['P-256', pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))],
])(
  'a text kept under %s is read by its auditor, and by nobody else',
  async (_, { publicKey, privateKey }) => {
    const capture = await captureFile(options({ publicKey }), quiet)
    expect([capture.wants('acme'), capture.wants('other'), capture.wants(undefined)]).toEqual([
      true,
      false,
      false,
    ])
    const [line] = await capture.keep(of('x1'), [textOf('the canary sings')])
    await capture.close()
    const raw = readFileSync(path, 'utf8')
    expect(raw).not.toContain('canary')
    expect(raw).not.toContain('/messages')
    expect(line).toBe(sha256(raw.trimEnd()))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await read(path, privateKey)).toMatchObject([
      {
        id: 'x1',
        tenant: 'acme',
        direction: 'request',
        path: '/messages/0/content',
        text: 'the canary sings',
        line,
      },
    ])
    expect(await read(path, pem(x25519()).privateKey)).toMatchObject([{ number: 1, why: 'other_key' }])
  },
)

test('every text gets a line of its own, in order, whatever comes at once', async () => {
  const capture = await captureFile(options(), quiet)
  const ids = Array.from({ length: 40 }, (_, i) => `x${String(i)}`)
  const kept = await Promise.all(
    ids.map((id) => capture.keep(of(id), [textOf(`${id} a`), textOf(`${id} b`)])),
  )
  await capture.close()
  const all = (await read()) as readonly Captured[]
  expect(all).toHaveLength(80)
  for (const [i, id] of ids.entries()) {
    const mine = all.filter((one) => one.id === id)
    expect(mine.map(({ text }) => text)).toEqual([`${id} a`, `${id} b`])
    expect(mine.map(({ line }) => line)).toEqual(kept[i])
  }
  expect(await read(path, auditor.privateKey, 'x7')).toHaveLength(2)
})

test('a torn line costs itself only, and a line that somebody else wrote or moved is told', async () => {
  const one = await captureFile(options(), quiet)
  await one.keep(of('x1'), [textOf('first')])
  await one.close()
  const [line = ''] = readFileSync(path, 'utf8').split('\n')
  appendFileSync(path, line.slice(0, 100))
  const two = await captureFile(options(), quiet)
  await two.keep(of('x2'), [textOf('second')])
  await two.close()
  appendFileSync(path, `${line.replace('"x1"', '"x9"')}\n`)
  const all = await read()
  expect(all.map((found) => ('why' in found ? found.why : found.text))).toEqual([
    'first',
    'not_a_capture',
    'second',
    'forged',
  ])
})

test('what cannot be kept is refused, or skipped where the options say so, and it heals by itself', async () => {
  const missing = join(folder, 'gone', 'captures.jsonl')
  const refusing = await captureFile(options({ path: missing }), quiet)
  rmSync(join(folder, 'gone'), { recursive: true })
  await expect(refusing.keep(of('x1'), [textOf('a')])).rejects.toMatchObject({ code: 'guard_unavailable' })
  expect(refusing.unready()).toBe('captured content cannot be written')
  const skipping = await captureFile(options({ path: '/dev/full', onFailure: 'skip' }), quiet)
  expect(await skipping.keep(of('x1'), [textOf('a')])).toEqual([])
  expect(skipping.unready()).toBeUndefined()
  await skipping.close()
  mkdirSync(join(folder, 'gone'))
  expect(await refusing.keep(of('x2'), [textOf('b')])).toHaveLength(1)
  expect(refusing.unready()).toBeUndefined()
  await refusing.close()
  expect(await read(missing)).toMatchObject([{ text: 'b' }])
})

test('no more waits than the queue holds', async () => {
  const capture = await captureFile(options({ maxQueue: 3000 }), quiet)
  const tried = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => capture.keep(of(`x${String(i)}`), [textOf('a'.repeat(500))])),
  )
  expect(tried.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0)
  const kept = tried.filter(({ status }) => status === 'fulfilled').length
  await capture.close()
  expect(existsSync(path) ? (await read()).length : 0).toBe(kept)
})

test('files are rotated, and those beyond the number or the age are deleted', async () => {
  let now = Date.parse('2026-11-21T12:00:00Z')
  const parts = { ...quiet, now: () => now }
  const capture = await captureFile(options({ maxBytes: 500, keepFiles: 3, keepMs: 3_600_000 }), parts)
  for (let i = 0; i < 8; i++) {
    now += 1000
    await capture.keep(of(`x${String(i)}`), [textOf('a'.repeat(300))])
  }
  expect(readdirSync(folder)).toHaveLength(4)
  now += 3_600_001
  await capture.keep(of('last'), [textOf('b')])
  expect(readdirSync(folder).length).toBeLessThanOrEqual(2)
  await capture.close()
})

test('a private key, or a key that is none, is said at the start', async () => {
  for (const publicKey of [auditor.privateKey, 'nonsense', pem(generateKeyPairSync('ed25519')).publicKey]) {
    await expect(captureFile(options({ publicKey }), quiet)).rejects.toThrow(/^The auditor's key/)
  }
})
