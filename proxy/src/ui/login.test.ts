import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { LogFields } from '../core/log.ts'
import { auth, PASSWORD, signIn, startUi, type StartedUi } from './test/start.ts'

let ui: StartedUi
let cookie: string
beforeEach(async () => {
  ui = await startUi()
  cookie = await ui.login()
})
afterEach(() => ui.close())

const get = (path: string, headers: Readonly<Record<string, string>> = { cookie }): Promise<Response> =>
  fetch(`${ui.url}${path}`, { redirect: 'manual', headers })

const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(`${ui.url}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers,
    body: new URLSearchParams(form),
  })

describe('who may come in', () => {
  test('nobody until a password is configured, and the page says how to do that', async () => {
    const off = await startUi({ auth: undefined })
    const answer = await fetch(`${off.url}/ui`)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('postern token password')
    expect((await fetch(`${off.url}/ui/live?view=overview`)).status).toBe(404)
    expect(
      (await fetch(`${off.url}/ui/login`, { method: 'POST', body: `password=${PASSWORD}` })).status,
    ).toBe(404)
    await off.close()
  })

  test.each(['/ui', '/ui/decisions', '/ui/coverage', '/ui/health', '/ui/find?id=0', '/ui/nowhere'])(
    '%s sends a stranger to the login',
    async (path) => {
      const answer = await get(path, {})
      expect(answer.status).toBe(303)
      expect(answer.headers.get('location')).toMatch(/^\/ui\/login\?next=%2Fui/)
      expect(await answer.text()).toBe('')
    },
  )

  test('data are refused to strangers and to made-up cookies', async () => {
    expect((await get('/ui/live?view=decisions', {})).status).toBe(401)
    expect((await get('/ui/events?view=decisions', {})).status).toBe(401)
    expect((await get('/ui/live', { cookie: `postern-ui=${'A'.repeat(43)}` })).status).toBe(401)
    expect((await get('/ui/live', { cookie: `${cookie}; postern-ui=planted` })).status).toBe(401)
  })

  test('the cookie is out of reach of scripts and of other sites', async () => {
    const answer = await post('/ui/login', { password: PASSWORD, next: '/ui/health' })
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/ui/health')
    expect(answer.headers.get('set-cookie')).toMatch(
      /^postern-ui=[\w-]{43}; Path=\/ui; HttpOnly; SameSite=Strict$/,
    )
  })

  test('behind TLS the cookie belongs to this host and travels over TLS only', async () => {
    const secure = await startUi({ auth: { ...auth(), secureCookie: true } })
    const answer = await fetch(`${secure.url}/ui/login`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ password: PASSWORD }),
    })
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-postern-ui=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    )
    await secure.close()
  })

  test('a session that was planted before the login is not the one after it', async () => {
    const planted = cookie
    const answer = await post('/ui/login', { password: PASSWORD }, { cookie: planted })
    const fresh = answer.headers.getSetCookie()[0]!.split(';', 1)[0]!
    expect(fresh).not.toBe(planted)
    expect((await get('/ui', { cookie: planted })).status).toBe(303)
    expect((await get('/ui', { cookie: fresh })).status).toBe(200)
  })

  test('signing out ends the session on the server', async () => {
    expect((await post('/ui/logout', {}, { cookie })).headers.get('set-cookie')).toContain('Max-Age=0')
    expect((await get('/ui')).status).toBe(303)
  })

  test('a wrong password gets nothing, is logged without itself, and after some of them everybody waits', async () => {
    const logged: [string, LogFields | undefined][] = []
    const write = (event: string, fields?: LogFields) => void logged.push([event, fields])
    const other = await startUi({ log: { info: write, warn: write, error: write } })
    const tries = Array.from({ length: 6 }, () =>
      fetch(`${other.url}/ui/login`, { method: 'POST', body: new URLSearchParams({ password: 'guess' }) }),
    )
    const answers = await Promise.all(tries)
    expect(answers.filter(({ status }) => status === 403).length).toBeLessThanOrEqual(5)
    const late = await fetch(`${other.url}/ui/login`, {
      method: 'POST',
      body: new URLSearchParams({ password: PASSWORD }),
    })
    expect(late.status).toBe(429)
    expect(late.headers.get('retry-after')).toBe('7')
    expect(late.headers.getSetCookie()).toEqual([])
    expect(JSON.stringify(logged)).not.toContain('guess')
    expect(logged.map(([event]) => event)).toContain('ui_login_refused')
    await other.close()
  })

  test('passwords are checked one at a time, few wait, and every one is really checked', async () => {
    let running = 0
    let most = 0
    let checked = 0
    const slow = await startUi({
      auth: {
        ...auth(),
        throttle: { attempt: () => undefined, succeeded: () => undefined },
        isPassword: async (password) => {
          most = Math.max(most, (running += 1))
          await new Promise((resolve) => setTimeout(resolve, 20))
          running -= 1
          checked += 1
          return password === PASSWORD
        },
      },
    })
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        fetch(`${slow.url}/ui/login`, { method: 'POST', body: new URLSearchParams({ password: 'x' }) }),
      ),
    )
    expect(most).toBe(1)
    expect(checked).toBe(answers.filter(({ status }) => status === 403).length)
    expect(answers.filter(({ status }) => status === 429).length).toBe(12 - checked)
    expect(await signIn(slow.url)).toMatch(/^postern-ui=/)
    await slow.close()
  })

  test.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sister host', { 'sec-fetch-site': 'same-site' }],
    ['a foreign origin', { origin: 'http://evil.test' }],
    ['no origin at all', { origin: 'null' }],
  ])('a form of %s does not sign in or out', async (_, headers) => {
    expect((await post('/ui/login', { password: PASSWORD }, headers)).status).toBe(403)
    expect((await post('/ui/logout', {}, { ...headers, cookie })).status).toBe(403)
    expect((await get('/ui')).status).toBe(200)
  })

  test.each([
    'https://evil.test/',
    '//evil.test/ui',
    '/ui/../drain',
    '/uix',
    '/ui\r\nset-cookie: a=b',
    '/ui?x=\r\n',
    'javascript:alert(1)',
    '/ui/logout',
  ])('after the login nobody is sent to %j', async (next) => {
    expect((await post('/ui/login', { password: PASSWORD, next })).headers.get('location')).toBe('/ui')
  })

  test('a form that is too large or of another kind is not read', async () => {
    expect((await post('/ui/login', { password: 'x'.repeat(20_000) })).status).toBe(400)
    const json = await fetch(`${ui.url}/ui/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(json.status).toBe(400)
    expect((await post('/ui/decisions', {}, { cookie })).status).toBe(405)
    expect((await fetch(`${ui.url}/ui`, { method: 'DELETE', headers: { cookie } })).status).toBe(405)
  })
})
