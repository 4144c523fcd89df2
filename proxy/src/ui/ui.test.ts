import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { connect } from 'node:net'
import { coverage, finding, record, refused, state } from './test/samples.ts'
import { startUi, type StartedUi } from './test/start.ts'

let ui: StartedUi
let cookie: string
beforeEach(async () => {
  ui = await startUi()
  cookie = await ui.login()
})
afterEach(() => ui.close())

const get = (path: string, headers: Readonly<Record<string, string>> = { cookie }): Promise<Response> =>
  fetch(`${ui.url}${path}`, { redirect: 'manual', headers })

const text = async (path: string): Promise<string> => (await get(path)).text()

describe('what an answer is made of', () => {
  test.each(['/ui', '/ui/login', '/ui/live', '/ui/nowhere', '/ui/find?id=zz'])(
    '%s cannot be framed, kept, sniffed or made to run a foreign script',
    async (path) => {
      const { headers } = await get(path)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      const policy = headers.get('content-security-policy')
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'; require-trusted-types-for 'script'")
      expect(policy).not.toContain('unsafe')
    },
  )

  test('text of others stays text, wherever it stands', async () => {
    const evil = `"><img src=x onerror=alert(1)>'</script><script>alert(2)</script>`
    const all = {
      model: evil,
      upstream: evil,
      route: evil,
      client: evil,
      trace: evil,
      time: evil,
      reasons: [evil],
      policy: { engine: evil, revision: evil },
      caller: { subject: evil, tenant: evil, roles: [evil], scopes: [], via: evil },
      timings: { [evil]: 1 },
      findings: [finding({ rule: evil, path: evil, evidence: [evil] })],
      decisions: [
        { stage: 'request', allow: false, reasons: [evil], revision: evil, times: 1, model: evil } as const,
      ],
    }
    const one = refused(all)
    ui.watch.seen(one)
    const query = new URLSearchParams({
      rule: evil,
      caller: evil,
      outcome: evil,
      route: evil,
      id: evil,
      next: evil,
    })
    for (const path of [
      '',
      '/decisions',
      `/decisions/${one.id}`,
      '/health',
      '/coverage',
      '/find',
      '/login',
    ]) {
      const page = await text(`/ui${path}?${String(query)}`)
      expect(page).toContain('</html>')
      expect(page).not.toContain('<img')
      expect(page).not.toContain('<script>')
      expect(page.match(/<script/g)).toHaveLength(1)
      expect(page).not.toMatch(/="[^"]*"(?![\s>])/)
    }
  })

  test('characters that turn or hide text are shown as their numbers', async () => {
    ui.watch.seen(
      record({
        caller: { subject: 'ad\u202enim\u200b\u0000\ud800', tenant: '', roles: [], scopes: [], via: '' },
      }),
    )
    expect(await text('/ui/decisions')).toContain('<bdi>ad\\u{202e}nim\\u{200b}\\u{0}\\u{d800}</bdi>')
  })

  test('an id never becomes a header', async () => {
    ui.watch.seen(record({ id: 'abc\r\nset-cookie: a=b' }))
    const answer = await get('/ui/find?id=abc')
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/ui/decisions/abc%0D%0Aset-cookie%3A%20a%3Db')
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  test('the first paint is under 100 KB, everything counted', async () => {
    for (let i = 0; i < 2000; i++)
      ui.watch.seen(i % 3 ? record() : refused({ reasons: [`reason-${i % 60}`] }))
    const page = await text('/ui')
    const assets = [...page.matchAll(/(?:href|src)="(\/ui\/assets\/[^"]+)"/g)].map(([, url]) => url!)
    expect(assets).toHaveLength(3)
    const sizes = await Promise.all(
      assets.map(async (url) => {
        const answer = await get(url, {})
        expect(answer.headers.get('cache-control')).toContain('immutable')
        return (await answer.arrayBuffer()).byteLength
      }),
    )
    expect(Buffer.byteLength(page) + sizes.reduce((a, b) => a + b)).toBeLessThan(100_000)
  })

  test('a part that fails is an error page without the reason', async () => {
    const broken = await startUi({
      coverage: () => {
        throw new Error('inner')
      },
    })
    const answer = await fetch(`${broken.url}/ui/coverage`, { headers: { cookie: await broken.login() } })
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('inner')
    await broken.close()
  })
})

describe('what the pages say', () => {
  test('decisions are filtered by outcome, rule and caller, and what was chosen stays chosen', async () => {
    ui.watch.seen(record())
    ui.watch.seen(refused({ caller: { subject: 'Bob', tenant: 'globex', roles: [], scopes: [], via: 'x' } }))
    const rows = async (query: string): Promise<number> =>
      (await text(`/ui/decisions${query}`)).match(/<a href="\/ui\/decisions\/0/g)?.length ?? 0
    expect(await rows('')).toBe(2)
    expect(await rows('?outcome=refused')).toBe(1)
    expect(await rows('?rule=aws-access-key')).toBe(1)
    expect(await rows('?rule=none-such')).toBe(0)
    expect(await rows('?caller=GLOB')).toBe(1)
    expect(await rows('?caller=bob&outcome=allowed')).toBe(0)
    expect(await rows('?outcome=constructor')).toBe(2)
    expect(await text('/ui/decisions?outcome=refused')).toContain('<option value="refused" selected="">')
  })

  test('a decision is found by its id or the beginning of it', async () => {
    const one = refused()
    ui.watch.seen(one)
    expect((await get(`/ui/find?id=${one.id}`)).headers.get('location')).toBe(`/ui/decisions/${one.id}`)
    expect((await get('/ui/find?id=00000000')).headers.get('location')).toBe(`/ui/decisions/${one.id}`)
    ui.watch.seen(record())
    expect(await text('/ui/find?id=00000000')).toContain('Several decisions begin so.')
    expect(await text('/ui/find?id=ffff')).toContain('does not remember')
    expect((await get('/ui/decisions/ffff')).status).toBe(404)
  })

  test('a decision says who, what was found where, what the policy said and what the client saw', async () => {
    const one = refused({
      decisions: [
        { stage: 'request', allow: false, reasons: ['secret_in_prompt'], revision: 'r1', times: 1 },
      ],
    })
    ui.watch.seen(one)
    const page = await text(`/ui/decisions/${one.id}`)
    for (const said of [
      'alice',
      'acme',
      'jwt:corp',
      '/messages/0/content',
      'aws-access-key',
      'in the prompt',
      'the policy for its category',
      'secret_in_prompt',
      'The content was blocked by policy.',
      'What would have let it pass unchanged',
      `postern explain ${one.id}`,
    ])
      expect(page).toContain(said)
  })

  test('every outcome has a page that explains it', async () => {
    for (const outcome of ['allowed', 'redacted', 'cut', 'refused', 'failed', 'client_gone'] as const) {
      const one = record({ outcome, caller: null, reasons: ['model_timeout'], timings: {}, tokens: null })
      ui.watch.seen(one)
      expect((await get(`/ui/decisions/${one.id}`)).status).toBe(200)
    }
  })

  test('health tells why no traffic should come, on every page', async () => {
    const down = await startUi({ state: () => state({ ready: ['audit: the disk is full', 'draining'] }) })
    const session = await down.login()
    const page = async (path: string) =>
      (await fetch(`${down.url}${path}`, { headers: { cookie: session } })).text()
    expect(await page('/ui')).toContain('Not ready: ')
    expect(await page('/ui/health')).toContain('draining')
    expect(await page('/ui/health')).toContain('Circuit open')
    await down.close()
  })

  test('coverage lists every route and every part', async () => {
    const list = await text('/ui/coverage')
    for (const route of coverage as readonly { name: string }[]) expect(list).toContain(route.name)
    expect(await text('/ui/coverage?route=openai.chat')).toContain('/choices/*/message/content')
    expect(await text('/ui/coverage?route=nothing')).toContain('<h1>Coverage</h1>')
  })

  test('whoever asks again gets only what is new', async () => {
    ui.watch.seen(record())
    const ask = async (after: string) =>
      (await (await get(`/ui/live?view=decisions&after=${after}`)).json()) as {
        after: number
        rows: unknown[]
      }
    expect(await ask('0')).toMatchObject({ after: 1 })
    expect((await ask('1')).rows).toEqual([])
    ui.watch.seen(record())
    expect((await ask('1')).rows).toHaveLength(1)
    expect((await ask('99')).rows).toHaveLength(2)
    expect((await ask('-1e9')).rows).toHaveLength(2)
  })
})

describe('the live stream', () => {
  const listen = async (path: string, headers: Record<string, string> = {}) => {
    const socket = connect(ui.port, '127.0.0.1')
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n${more.join('')}\r\n`)
    let got = ''
    socket.on('data', (data) => (got += data.toString()))
    await once(socket, 'data')
    return { socket, got: () => got }
  }
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  test('brings decisions as they are taken, and after a break those that were missed', async () => {
    const { socket, got } = await listen('/ui/events?view=decisions&after=0')
    const one = refused()
    ui.watch.seen(one)
    await until(() => got().includes(one.id))
    expect(got()).toContain('content-type: text/event-stream')
    expect(got()).toContain('id: 1\ndata: ')
    socket.destroy()
    const two = record()
    ui.watch.seen(two)
    const again = await listen('/ui/events?view=decisions&after=0', { 'last-event-id': '1' })
    await until(() => again.got().includes(two.id))
    expect(again.got()).not.toContain(one.id)
    again.socket.destroy()
  })

  test('ends with the session', async () => {
    const { socket } = await listen('/ui/events?view=health')
    const closed = once(socket, 'close')
    await fetch(`${ui.url}/ui/logout`, { method: 'POST', redirect: 'manual', headers: { cookie } })
    await closed
    expect((await get('/ui/events')).status).toBe(401)
  })

  test('is for sixteen at a time', async () => {
    const all = await Promise.all(Array.from({ length: 17 }, () => listen('/ui/events?view=decisions')))
    expect(all.filter(({ got }) => got().startsWith('HTTP/1.1 503'))).toHaveLength(1)
    for (const { socket } of all) socket.destroy()
    // The server hears of it when it does.
    for (let answer = ''; !answer.startsWith('HTTP/1.1 200');) {
      const { socket, got } = await listen('/ui/events?view=decisions')
      answer = got()
      socket.destroy()
    }
  })
})

test('a decision shows the tools that were called, what was unusual, and the threshold beside the score', async () => {
  const one = record({
    tools: [
      { name: 'get_weather', offered: true },
      { name: 'run_shell', offered: false },
    ],
    flags: ['tool_not_offered', 'entropy_high'],
    entropy: { tokens: 12, mean: 1.75, max: 3.5 },
    findings: [finding({ score: 0.85, threshold: 0.8 })],
  })
  ui.watch.seen(one)
  const shown = await text(`/ui/decisions/${one.id}`)
  expect(shown).toContain('get_weather, run_shell (not offered)')
  expect(shown).toContain('entropy_high')
  expect(shown).toContain('1.75 bits a token, 3.50 at most')
  expect(shown).toMatch(/0\.85[^<]* at 0\.80/)
})

test('the overview says how models behave, whom they treat differently, and what was unusual', async () => {
  const evil = '<b>model</b>'
  const report = {
    baseline: '2026-11-01T00:00:00.000Z',
    models: [
      {
        ...{ model: evil, tenant: 'acme', exchanges: 200, answers: 190, refused: 0.05, declined: 0.1 },
        entropy: 0.75,
        drifts: [{ feature: 'length', psi: 0.41, verdict: 'shifted' } as const],
      },
    ],
    groups: [
      { dimension: 'region', group: 'south', outcome: 'refusal', ratio: 0.7, pValue: 0.001, adverse: true },
    ],
    flags: { entropy_high: 3 },
  }
  const watched = await startUi({ behaviour: () => report })
  const page = await (await fetch(`${watched.url}/ui`, { headers: { cookie: await watched.login() } })).text()
  await watched.close()
  for (const said of [
    '1 of model and tenant have shifted',
    'length shifted (0.41)',
    '5.0 %',
    'south',
    '0.70',
  ])
    expect(page).toContain(said)
  expect(page).not.toContain(evil)
  expect(page).toContain('entropy_high')
})
