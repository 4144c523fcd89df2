import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { finding, record } from './test/samples.ts'
import { startUi, type StartedUi } from './test/start.ts'

let ui: StartedUi
let cookie: string
let said: string[]
let fails: boolean

beforeEach(async () => {
  said = []
  fails = false
  ui = await startUi({
    judging: {
      judge: (...what) => {
        if (fails) return Promise.reject(new Error('disk full'))
        said.push(what.join(' '))
        return Promise.resolve()
      },
    },
  })
  cookie = await ui.login()
  ui.watch.seen(record({ id: 'found', findings: [finding({ rule: 'email' }), finding({ rule: 'email' })] }))
  ui.watch.seen(record({ id: 'plain', findings: [] }))
})
afterEach(() => ui.close())

const judge = (id: string, form: Record<string, string>, headers: Record<string, string> = { cookie }) =>
  fetch(`${ui.url}/ui/decisions/${id}/judge`, {
    method: 'POST',
    redirect: 'manual',
    headers,
    body: new URLSearchParams(form),
  })

const page = async (id: string): Promise<string> =>
  (await fetch(`${ui.url}/ui/decisions/${id}`, { headers: { cookie } })).text()

test('a person says of a rule that it was wrong, once, and may change their mind', async () => {
  expect(await page('found')).toContain('aria-label="email was wrong"')
  const answer = await judge('found', { rule: 'email', verdict: 'wrong' })
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/ui/decisions/found'])
  await judge('found', { rule: 'email', verdict: 'wrong' })
  expect(said).toEqual(['found email wrong'])
  expect(await page('found')).toContain('(judged wrong)')
  await judge('found', { rule: 'email', verdict: 'right' })
  expect(said).toEqual(['found email wrong', 'found email right'])
})

test('a decision without findings is judged as a whole', async () => {
  await judge('plain', { rule: 'none', verdict: 'wrong' })
  expect(said).toEqual(['plain none wrong'])
})

test.each([
  ['another rule', { id: 'found', form: { rule: 'payment-card', verdict: 'wrong' }, status: 400 }],
  ['another word', { id: 'found', form: { rule: 'email', verdict: 'maybe' }, status: 400 }],
  ['nothing', { id: 'found', form: {}, status: 400 }],
  ['a decision that is not there', { id: 'gone', form: { rule: 'email', verdict: 'wrong' }, status: 404 }],
])('%s is refused and counted nowhere', async (_what, { id, form, status }) => {
  expect((await judge(id, form as Record<string, string>)).status).toBe(status)
  expect(said).toEqual([])
})

test('nobody judges without a session or from a page of another site', async () => {
  const form = { rule: 'email', verdict: 'wrong' }
  expect((await judge('found', form, {})).status).toBe(401)
  expect((await judge('found', form, { cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await judge('found', form, { cookie, origin: 'https://elsewhere.example' })).status).toBe(403)
  expect(said).toEqual([])
})

test('what the audit log does not take is not shown as said', async () => {
  fails = true
  expect((await judge('found', { rule: 'email', verdict: 'wrong' })).status).toBe(500)
  expect(await page('found')).not.toContain('(judged')
})
