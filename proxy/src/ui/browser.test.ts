import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startTestGuard, type TestGuard } from '../../test/start.ts'
import type { AuditRecord } from '../core/audit.ts'
import type { Json } from '../core/json.ts'
import { noLog } from '../core/log.ts'
import { DEMO_KEY } from '../../demo/script.ts'
import { hashPassword, isPasswordOf, readPasswordHash } from '../identity/password.ts'
import { loginThrottle } from '../identity/login-throttle.ts'
import { plainPath } from '../audit/paths.ts'
import { adminServer, type AdminServer } from '../server/admin.ts'
import { uiPages } from './pages.ts'
import { watchDecisions, type Watch } from './seen.ts'
import { barriers } from './test/accessible.ts'
import { chromium, openBrowser, type Opened } from './test/chromium.ts'
import { finding, record, refused, state } from './test/samples.ts'
import { PASSWORD } from './test/start.ts'

// Lines of the log leave out what is empty.
const NOTHING_ODD = { tools: [], flags: [], entropy: null, served: null } as const

// A browser on a busy machine takes its time.
jest.setTimeout(120_000)

const described = chromium === undefined ? describe.skip : describe

described('in Chromium, before a real guard', () => {
  let guard: TestGuard
  let admin: AdminServer
  let watch: Watch
  let opened: Opened
  let origin: string
  let fed = 0

  /** What the record step will do by itself: every new line of the audit log becomes a decision of the page. */
  const feed = async (): Promise<void> => {
    const records = (await guard.records()) as unknown as readonly AuditRecord[]
    for (const one of records.slice(fed))
      watch.seen({ ...NOTHING_ODD, ...one, time: new Date().toISOString() })
    fed = records.length
  }

  const ask = async (content: string, more: { readonly model?: string; readonly key?: string } = {}) => {
    const { model = 'demo-small', key = guard.keys.user } = more
    const answer = await fetch(`${guard.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, messages: [{ role: 'user', content }] }),
    })
    await answer.arrayBuffer()
    return answer.headers.get('x-request-id') ?? ''
  }

  beforeAll(async () => {
    guard = await startTestGuard()
    watch = watchDecisions({ size: 1000, plainPath })
    const hash = readPasswordHash(await hashPassword(PASSWORD))!
    const coverage = (await (await fetch(`${guard.adminUrl}/coverage`)).json()) as Json
    const ui = uiPages({
      decisions: watch.decisions,
      hour: watch.hour,
      state,
      coverage: () => coverage,
      auth: {
        isPassword: (password) => isPasswordOf(password, hash),
        throttle: loginThrottle({ attemptsPerSecond: 2 }),
        secureCookie: false,
      },
      howToSwitchOn: [],
      log: noLog,
    })
    admin = await adminServer({
      host: '127.0.0.1',
      port: 0,
      ready: () => [],
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
      coverage: () => coverage,
      config: () => ({}),
      drain: () => undefined,
      drainFromHere: true,
      probes: [],
      ui: (request, response) => ui.handle(request, response),
      log: noLog,
    })
    origin = `http://127.0.0.1:${admin.address.port}`
    opened = await openBrowser(origin)
  }, 60_000)

  afterAll(async () => {
    await opened.close()
    await admin.close()
    await guard.close()
  }, 30_000)

  const text = (selector: string): Promise<string> =>
    opened.page.$eval(selector, (element) => (element as unknown as { innerText: string }).innerText)

  const screenshot = async (name: string): Promise<void> => {
    const path: `${string}.png` = `${join(opened.folder, name)}.png`
    await opened.page.screenshot({ path, fullPage: true })
    expect(readFileSync(path).subarray(1, 4).toString()).toBe('PNG')
  }

  const holds = (condition: string): Promise<unknown> =>
    opened.page.waitForFunction(condition, { timeout: 60_000, polling: 50 })

  const submit = async (): Promise<void> => {
    await Promise.all([opened.page.waitForNavigation(), opened.page.keyboard.press('Enter')])
  }

  test('a person signs in; a wrong password is said to be wrong', async () => {
    const { page } = opened
    await page.goto(`${origin}/ui/decisions`)
    expect(await barriers(page)).toEqual([])
    await screenshot('login')
    await page.type('#password', 'a guess')
    await submit()
    expect(await text('#problem')).toBe('This is not the password.')
    expect(await barriers(page)).toEqual([])
    await page.type('#password', PASSWORD)
    await submit()
    expect(page.url()).toBe(`${origin}/ui/decisions`)
    expect(await text('h1')).toBe('Decisions')
    // Chromium itself says that the page of the wrong password had status 403.
    expect(opened.complaints.splice(0)).toEqual([expect.stringContaining('403')])
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  test('decisions appear as they are taken', async () => {
    const { page } = opened
    await holds(`document.getElementById('live').textContent === 'Live'`)
    expect(await page.$$('#rows tr')).toHaveLength(0)
    await ask('hello')
    const blocked = await ask(`what is ${DEMO_KEY}?`)
    await ask('hello', { key: 'nobody at all' })
    await feed()
    await holds(`document.querySelectorAll('#rows tr').length === 3`)
    expect(await text('#rows')).toContain('user-1')
    expect(await text('#rows')).toContain('unauthenticated')
    await page.goto(`${origin}/ui/decisions`)
    await page.type('#id', blocked)
    await submit()
    expect(await text('h1')).toBe(`Decision ${blocked}`)
    expect(await text('main')).toContain('aws-access-key')
    expect(await text('main')).toContain('/messages/0/content')
    expect(await text('main')).not.toContain(DEMO_KEY)
    expect(await barriers(page)).toEqual([])
    await screenshot('decision')
  })

  test('decisions can be filtered with the keyboard alone', async () => {
    const { page } = opened
    await page.goto(`${origin}/ui/decisions`)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.id')).toBe('pause')
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('Space')
    expect(await text('#live')).toBe('Paused')
    watch.seen(refused())
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await page.$$('#rows tr')).toHaveLength(3)
    await page.keyboard.press('Space')
    await holds(`document.querySelectorAll('#rows tr').length === 4`)
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.id')).toBe('caller')
    await page.keyboard.type('USER-')
    await submit()
    expect(await page.$$('#rows tr')).toHaveLength(2)
    expect(await page.$eval('#caller', (field) => (field as unknown as { value: string }).value)).toBe(
      'USER-',
    )
    watch.seen(refused())
    await feedAndSee()
    await screenshot('decisions')
  })

  const feedAndSee = async (): Promise<void> => {
    await ask('one more')
    await feed()
    await holds(`document.querySelectorAll('#rows tr').length === 3`)
    expect(await text('#rows')).not.toContain('alice')
  }

  test('names that others chose are shown, not run', async () => {
    const { page } = opened
    const evil = `<img src=x onerror="document.title='owned'"><svg/onload=alert(1)>`
    await page.goto(`${origin}/ui/decisions`)
    await holds(`document.getElementById('live').textContent === 'Live'`)
    const caller = { subject: evil, tenant: evil, roles: [evil], scopes: [], via: evil }
    watch.seen(
      refused({
        id: 'evil',
        model: evil,
        route: evil,
        caller,
        reasons: [evil],
        findings: [finding({ rule: evil })],
      }),
    )
    await holds(`document.getElementById('rows').innerText.includes('onerror')`)
    for (const path of [
      '',
      '/decisions',
      '/decisions/evil',
      '/health',
      `/decisions?rule=${encodeURIComponent(evil)}`,
    ]) {
      await page.goto(`${origin}/ui${path}`)
      expect(await page.$$('img, svg[onload]')).toEqual([])
      expect(await page.title()).not.toBe('owned')
    }
  })

  test('the overview draws the hour, keeps it up to date, and is still while it is read', async () => {
    const { page } = opened
    for (let i = 0; i < 300; i++) watch.seen(i % 4 ? record() : refused())
    for (let i = 0; i < 5; i++) await ask('some traffic')
    await feed()
    await page.goto(`${origin}/ui?span=minutes`)
    expect(await page.$$('figure svg[role=img]')).toHaveLength(4)
    expect(await page.$$('path.bar.c1')).not.toHaveLength(0)
    expect(await text('#tiles')).toContain('Requests')
    await page.click('#requests summary')
    const before = await text('#tiles')
    for (let i = 0; i < 50; i++) watch.seen(record())
    await holds(`document.getElementById('tiles').innerText !== ${JSON.stringify(before)}`)
    const drawn = await page.$eval(
      '#charts',
      (charts) => (charts as unknown as { innerHTML: string }).innerHTML,
    )
    await holds(`document.getElementById('charts').innerHTML !== ${JSON.stringify(drawn)}`)
    expect(await page.$('#requests details[open]')).not.toBeNull()
    expect(await text('#requests details')).toContain('Allowed')
    await screenshot('overview-minutes')
  })

  test('without streams the page asks by itself', async () => {
    const { page } = opened
    const script = await page.evaluateOnNewDocument('delete window.EventSource')
    await page.goto(`${origin}/ui/decisions?outcome=failed`)
    await holds(`document.getElementById('live').textContent === 'Asking every 5 seconds'`)
    watch.seen(record({ outcome: 'failed', status: 503, reasons: ['model_unavailable'] }))
    await holds(`document.querySelectorAll('#rows tr').length === 1`)
    await page.removeScriptToEvaluateOnNewDocument(script.identifier)
  })

  test('without JavaScript everything but the news is there', async () => {
    const { page } = opened
    await page.setJavaScriptEnabled(false)
    await page.goto(`${origin}/ui`)
    expect(await page.$$('figure svg[role=img]')).toHaveLength(4)
    await page.goto(`${origin}/ui/decisions`)
    await page.select('#outcome', 'failed')
    await page.focus('#caller')
    await submit()
    expect(page.url()).toContain('outcome=failed')
    expect(await page.$$('#rows tr')).toHaveLength(1)
    await page.setJavaScriptEnabled(true)
  })

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
  ] as const)(
    'nobody is shut out: %s, %p wide',
    async (scheme, width) => {
      const { page } = opened
      await page.setViewport({ width, height: 900 })
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ])
      for (const path of [
        '',
        '/decisions',
        '/decisions/evil',
        '/coverage',
        '/coverage?route=openai.chat',
        '/health',
        '/find?id=x',
      ]) {
        await page.goto(`${origin}/ui${path}`)
        expect({ path, barriers: await barriers(page) }).toEqual({ path, barriers: [] })
        if (!path.includes('?')) await screenshot(`page${path.replaceAll('/', '-')}-${scheme}-${width}`)
      }
      const animation = await page.evaluate(`(() => {
        const row = document.createElement('tr')
        row.className = 'new'
        document.body.append(row)
        return getComputedStyle(row).animationName
      })()`)
      expect(animation).toBe('none')
    },
    60_000,
  )

  test('signing out ends it, also for the way back', async () => {
    const { page } = opened
    await page.goto(`${origin}/ui`)
    await page.focus('header button')
    await submit()
    expect(await text('h1')).toBe('Sign in')
    await page.goBack()
    await holds(`document.querySelector('h1')?.textContent === 'Sign in'`)
  })

  test('nothing was asked of anybody else, and nothing complained', () => {
    expect(opened.complaints).toEqual([])
  })
})
