import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { DEMO_KEY } from '../demo/script.ts'
import { hashPassword } from '../src/identity/password.ts'
import { startTestGuard, type TestGuard } from './start.ts'

const PASSWORD = 'correct horse battery staple'
let guard: TestGuard
let folder: string
let cookie: string

const page = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${guard.adminUrl}${path}`, { headers, redirect: 'manual' })
const signIn = (password: string) =>
  fetch(`${guard.adminUrl}/ui/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: guard.adminUrl, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ password, next: '/ui' }),
  })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-page-'))
  writeFileSync(join(folder, 'hash'), await hashPassword(PASSWORD))
  guard = await startTestGuard({
    config: { admin: { port: 0, ui: { passwordHash: { file: join(folder, 'hash') } } } },
  })
  const { headers, status } = await signIn(PASSWORD)
  expect(status).toBe(303)
  cookie = headers.getSetCookie()[0]?.split(';')[0] ?? ''
})
afterAll(async () => {
  await guard.close()
  rmSync(folder, { recursive: true, force: true })
})

test('nobody gets in without the password', async () => {
  expect((await page('/ui')).headers.get('location')).toBe('/ui/login?next=%2Fui')
  expect((await page('/ui/live')).status).toBe(401)
  expect((await signIn('guess')).status).toBe(403)
})

test('what the guard decided is on the page, with why, and never with the text', async () => {
  const client = new OpenAI({ apiKey: guard.keys.user, baseURL: `${guard.url}/v1`, maxRetries: 0 })
  await client.chat.completions.create({
    model: 'demo-small',
    messages: [{ role: 'user', content: `my key is ${DEMO_KEY}` }],
  })
  const id = (await guard.records()).at(-1)?.id ?? ''
  const list = await (await page('/ui/decisions', { cookie })).text()
  expect(list).toContain(id)
  const why = await (await page(`/ui/decisions/${id}`, { cookie })).text()
  expect(why).toContain('aws-access-key')
  expect(why).toContain('user-1')
  expect(`${list}${why}`).not.toContain(DEMO_KEY)
})

test('health says what the guard depends on', async () => {
  const health = await (await page('/ui/health', { cookie })).text()
  for (const part of ['Audit', 'Policy', 'Limits', 'Model servers']) expect(health).toContain(part)
})

test('a hash that is none keeps the guard from starting, and its audit log is closed like any other', async () => {
  writeFileSync(join(folder, 'no-hash'), 'secret')
  const file = join(folder, 'not-started.log')
  const bad = { admin: { port: 0, ui: { passwordHash: { file: join(folder, 'no-hash') } } }, audit: { file } }
  await expect(startTestGuard({ config: bad })).rejects.toThrow('postern token password makes one')
  expect(readFileSync(file, 'utf8')).toContain('"type":"close"')
})

test('without a password the page only says how to have one', async () => {
  const plain = await startTestGuard()
  const answer = await fetch(`${plain.adminUrl}/ui`)
  expect(answer.status).toBe(404)
  expect(await answer.text()).toContain('postern token password')
  await plain.close()
})
