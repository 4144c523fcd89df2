import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { CliError, type Io } from '../src/cli/command.ts'
import { respondCommand } from '../src/cli/respond.ts'
import { blocksOf, commandsOf, ROOT } from './docs.ts'
import { startTestGuard, type TestGuard } from './start.ts'

const WEBHOOK = 'a-secret-of-falcosidekick-0123456789'
const OPERATOR = 'a-secret-of-an-operator-0123456789'

let folder: string
let guard: TestGuard

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-respond-'))
  writeFileSync(join(folder, 'webhook'), `${WEBHOOK}\n`)
  writeFileSync(join(folder, 'operator'), `${OPERATOR}\n`)
  guard = await startTestGuard({
    config: {
      respond: {
        store: join(folder, 'orders.json'),
        tokenFile: join(folder, 'webhook'),
        operatorTokenFile: join(folder, 'operator'),
        overlays: { lockdown: { categories: { secret: 'block' } } },
        limits: { longest: '2h' },
        protected: [{ subject: 'on-call', tenant: 'ops', via: 'api-key' }],
      },
    },
  })
}, 120_000)

afterAll(async () => {
  await guard.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The command in this process, as the program runs it. */
const respond = async (args: readonly string[], env: Io['env'] = {}): Promise<Ended> => {
  const said = { out: '', err: '' }
  const io: Io = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    stdin: () => Promise.reject(new Error('nobody writes')),
    env: {
      POSTERN_RESPOND_URL: guard.adminUrl,
      POSTERN_RESPOND_SECRET: OPERATOR,
      USER: 'alice',
      ...env,
    },
    paint: (_, text) => text,
  }
  try {
    return { code: await respondCommand.run(args, io), ...said }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return { code: error.exit, out: said.out, err: said.err + error.message }
  }
}

const chat = async (role: 'user' | 'developer'): Promise<number> => {
  const answer = await fetch(`${guard.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${guard.keys[role]}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo-small', messages: [{ role: 'user', content: 'hello' }] }),
  })
  await answer.text()
  return answer.status
}

const revoke = (subject: string, ...more: readonly string[]): Promise<Ended> =>
  respond([
    'do',
    'revoke',
    '--subject',
    subject,
    '--tenant',
    'acme',
    '--via',
    'api-key',
    '--for',
    '1h',
    ...more,
  ])

const idIn = ({ out }: Ended): string => /\b[0-9a-f]{16}\b/.exec(out)?.[0] ?? ''

test('an operator revokes a caller, sees it in the list, and undoes it', async () => {
  const began = await revoke('user-1')
  expect(began).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^began: revoke until \S+Z, order \S+\n$/),
  })
  expect([await chat('user'), await chat('developer')]).toEqual([403, 200])
  const listed = await respond(['list'])
  expect(listed.out).toMatch(/^ORDER +WHAT +WHOM +BY +SINCE +UNTIL\n/)
  expect(listed.out).toMatch(/revoke +user-1 of acme \(api-key\) +operator:alice +2\S+Z +2\S+Z\n$/)
  expect(await revoke('user-1')).toMatchObject({ code: 0, out: expect.stringContaining('in force already') })
  const id = idIn(began)
  expect(await respond(['undo', id, '--by', 'bob'])).toEqual({
    code: 0,
    out: `undone: order ${id}\n`,
    err: '',
  })
  expect(await chat('user')).toBe(200)
  expect((await respond(['list'])).out).toBe('No order is in force.\n')
  expect((await respond(['list', '--all'])).out).toMatch(/undone 2\S+Z by operator:bob\n$/)
  expect(await respond(['undo', id])).toMatchObject({ code: 1, err: expect.stringContaining('not in force') })
})

test('--json is for programs: what was done, and the list', async () => {
  const did = await respond(['do', 'tighten', '--overlay', 'lockdown', '--for', '7d', '--json'])
  const { result, id, until } = JSON.parse(did.out) as Record<string, string>
  expect(result).toBe('began')
  // limits.longest is two hours.
  expect(Date.parse(until ?? '') - Date.now()).toBeLessThan(7_200_001)
  const { orders } = JSON.parse((await respond(['list', '--json'])).out) as { orders: object[] }
  expect(orders).toEqual([
    expect.objectContaining({ id, target: { kind: 'tighten', overlay: 'lockdown' }, in_force: true }),
  ])
  const undone = await respond(['undo', id ?? '', '--json'])
  expect(JSON.parse(undone.out)).toEqual({ id, undone: true })
})

test('a guard is quarantined without naming a pod, and released', async () => {
  const began = await respond(['do', 'quarantine', '--for', '10m'])
  expect(began.code).toBe(0)
  expect(await chat('user')).toBe(503)
  await respond(['undo', idIn(began)])
  expect(await chat('user')).toBe(200)
})

test('who is protected is not revoked: exit code 1, and why', async () => {
  const args = ['--subject', 'on-call', '--tenant', 'ops', '--via', 'api-key', '--for', '1h']
  expect(await respond(['do', 'revoke', ...args])).toMatchObject({
    code: 1,
    err: expect.stringContaining('protects that caller'),
  })
})

interface Wrong {
  readonly args: readonly string[]
  readonly message: RegExp
  readonly env?: Io['env']
}

test.each<[string, Wrong]>([
  ['no action', { args: [], message: /write: postern respond list, do or undo/ }],
  [
    'no secret',
    {
      args: ['list'],
      message: /--secret-file FILE, or the variable/,
      env: { POSTERN_RESPOND_SECRET: undefined },
    },
  ],
  ['a short secret', { args: ['list'], message: /16 to 4096/, env: { POSTERN_RESPOND_SECRET: 'short-one' } }],
  [
    'two lines of secret',
    { args: ['list'], message: /16 to 4096/, env: { POSTERN_RESPOND_SECRET: `${OPERATOR}\nx: y` } },
  ],
  ['a word for an address', { args: ['list', '--url', 'guard'], message: /takes an address/ }],
  [
    'a password in the address',
    { args: ['list', '--url', 'https://a:b@guard'], message: /without a password/ },
  ],
  [
    'another machine without TLS',
    { args: ['list', '--url', 'http://10.0.0.1:8081'], message: /--plain-http/ },
  ],
  [
    'a name that only looks local',
    { args: ['list', '--url', 'http://127.0.0.1.example.com'], message: /--plain-http/ },
  ],
  ['no time', { args: ['do', 'tighten', '--overlay', 'x'], message: /--for 15m/ }],
  [
    'a time beyond a year',
    { args: ['do', 'tighten', '--overlay', 'x', '--for', '999d'], message: /at most 366d/ },
  ],
  ['half of a caller', { args: ['do', 'revoke', '--subject', 'x', '--for', '1h'], message: /--tenant/ }],
  [
    'half of a pod',
    { args: ['do', 'quarantine', '--pod', 'x', '--for', '1h'], message: /both --namespace and --pod/ },
  ],
  ['another verb', { args: ['do', 'delete'], message: /revoke, tighten or quarantine/ }],
  ['no name', { args: ['undo', '0123456789abcdef'], message: /--by NAME/, env: { USER: '' } }],
  ['no order', { args: ['undo', 'x'], message: /16 digits/ }],
])('%s is wrong usage, and the message says what to do', async (_, { args, message, env = {} }) => {
  const { code, out, err } = await respond(args, env)
  expect([code, out]).toEqual([2, ''])
  expect(err).toMatch(message)
  expect(err).not.toMatch(/short-one|a-secret-of/)
})

test('the secret of falcosidekick, or a wrong one, is refused with advice, and shown nowhere', async () => {
  const { code, out, err } = await respond(['list', '--secret-file', join(folder, 'webhook')])
  expect([code, out]).toEqual([3, ''])
  expect(err).toContain('operatorTokenFile')
  expect(err).not.toContain(WEBHOOK)
  expect(guard.logged()).toContain('operator_secret_refused')
  expect(guard.logged()).not.toMatch(new RegExp(`${OPERATOR}|${WEBHOOK}`))
  const missing = await respond(['list', '--secret-file', join(folder, 'none')])
  expect(missing).toMatchObject({ code: 3, err: expect.stringContaining('no such file') })
})

/** A server that is no desk. */
const stranger = async (answer: RequestListener, work: (url: string) => Promise<void>): Promise<void> => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('a desk that is down, or no desk, is exit code 3 with what to look at', async () => {
  expect(await respond(['list', '--url', 'http://127.0.0.1:1'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('nobody listens there'),
  })
  const changed = await respond(['undo', '0123456789abcdef', '--url', 'http://127.0.0.1:1'])
  expect(changed.err).toContain('It may have been done all the same')
  // The port of clients has no desk.
  expect(await respond(['list', '--url', guard.url])).toMatchObject({ code: 3 })
  expect(await respond(['undo', '0123456789abcdef', '--url', guard.url])).toMatchObject({ code: 3 })
  const answers: readonly (readonly [RequestListener, RegExp])[] = [
    [(_, response) => void response.end('<html>'), /not as a desk does/],
    [(_, response) => void response.end('{"orders":[{}]}'), /not as a desk does/],
    [(_, response) => void response.end('{"orders":[1]}'), /not as a desk does/],
    [(_, response) => void response.end(Buffer.alloc(5 << 20, 0x20)), /more than 4194304 bytes/],
    [(_, response) => void response.writeHead(302, { location: '/x' }).end(), /answers 302/],
    [(_, response) => void response.socket?.destroy(), /does not answer/],
    [(_, response) => void response.writeHead(503).end('{"error":"busy"}'), /busy; try again/],
  ]
  for (const [answer, message] of answers)
    await stranger(answer, async (url) => {
      const { code, err } = await respond(['list', '--url', url])
      expect([code, err]).toEqual([3, expect.stringMatching(message)])
    })
})

test('names in orders cannot move the cursor of a terminal', async () => {
  const target = { kind: 'tighten', overlay: '\u001b[2J\u202e\u009b31m' }
  const times = { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' }
  const order = { id: '0123456789abcdef', target, by: 'falco:\r\nx', event: '', ...times, in_force: true }
  const answer: RequestListener = (_, response) => void response.end(JSON.stringify({ orders: [order] }))
  await stranger(answer, async (url) => {
    for (const more of [[], ['--json']]) {
      const { out } = await respond(['list', '--url', url, ...more])
      expect(out).toContain('0123456789abcdef')
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  })
})

/** As a shell runs it, with the program of this checkout. */
const shell = (command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const path = [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
    const env = { ...process.env, PATH: path, NODE_OPTIONS: '', POSTERN_RESPOND_URL: guard.adminUrl }
    execFile('bash', ['-c', command], { cwd: folder, env, timeout: 120_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(stdout)
    })
  })

test('the commands of docs/respond.md work, one after the other', async () => {
  const commands = blocksOf('proxy/docs/respond.md')
    .filter(({ lang }) => lang === 'sh')
    .flatMap(commandsOf)
    .map(({ text }) => text)
  expect(commands.length).toBeGreaterThanOrEqual(4)
  let id = ''
  for (const command of commands) {
    const out = await shell(command.replaceAll('0123456789abcdef', id))
    id = /\b[0-9a-f]{16}\b/.exec(out)?.[0] ?? id
    expect(out).not.toBe('')
  }
}, 300_000)
