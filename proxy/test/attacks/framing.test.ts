import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { gzipSync } from 'node:zlib'
import { verifyAudit } from '../../src/audit/verify.ts'
import { chat, message, startAttacked, type Attacked } from './hostile.ts'

const BODY = JSON.stringify(chat())

let guard: Attacked
beforeAll(async () => {
  guard = await startAttacked()
})
beforeEach(() => guard.behave(message({ content: 'ok' })))
afterAll(() => guard.close())

interface Head {
  readonly target?: string
  readonly credential?: readonly string[]
  readonly framing?: readonly string[]
  readonly type?: string
  /** More requests follow on the connection. */
  readonly more?: boolean
}

const request = (head: Head = {}, body: string = BODY): string => {
  const { target = '/v1/chat/completions', framing = [`Content-Length: ${Buffer.byteLength(body)}`] } = head
  const { credential = [`Authorization: Bearer ${guard.keys.developer}`], type = 'application/json' } = head
  const own = framing.some((line) => line.startsWith('Connection'))
  const close = own || head.more === true ? [] : ['Connection: close']
  const lines = ['Host: guard.test', `Content-Type: ${type}`, ...close, ...credential, ...framing]
  return `POST ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

const statuses = (answer: string): readonly number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

/** Statuses that came back, and how many requests reached the model server. */
const outcome = async (bytes: string | Buffer): Promise<{ statuses: readonly number[]; reached: number }> => {
  const before = guard.arrived.length
  const answer = await guard.raw(bytes, 1500)
  return { statuses: statuses(answer), reached: guard.arrived.length - before }
}

const chunked = (...list: readonly string[]): string =>
  `${list.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`

test('an honest request is served, in chunks of single bytes too', async () => {
  expect(await outcome(request())).toEqual({ statuses: [200], reached: 1 })
  const single = request({ framing: ['Transfer-Encoding: chunked'] }, chunked(...BODY.split('')))
  expect(await outcome(single)).toEqual({ statuses: [200], reached: 1 })
})

describe('a request that two servers could read differently reaches nobody', () => {
  test.each<[string, () => string | Buffer]>([
    [
      'length and chunks',
      () => request({ framing: ['Content-Length: 4', 'Transfer-Encoding: chunked'] }, chunked(BODY)),
    ],
    ['two lengths', () => request({ framing: [`Content-Length: ${BODY.length}`, 'Content-Length: 0'] })],
    ['a list of lengths', () => request({ framing: [`Content-Length: ${BODY.length}, ${BODY.length}`] })],
    ['a signed length', () => request({ framing: [`Content-Length: +${BODY.length}`] })],
    ['a hexadecimal length', () => request({ framing: ['Content-Length: 0x50'] })],
    [
      'chunks with another coding',
      () => request({ framing: ['Transfer-Encoding: gzip, chunked'] }, chunked(BODY)),
    ],
    ['chunks in capitals', () => request({ framing: ['Transfer-Encoding: CHUNKED'] }, chunked(BODY))],
    [
      'chunks spelled with a tab',
      () => request({ framing: ['Transfer-Encoding:\tchunked, identity'] }, chunked(BODY)),
    ],
    [
      'two codings',
      () =>
        request({ framing: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'] }, chunked(BODY)),
    ],
    ['a blank before the colon', () => request({ framing: [`Content-Length : ${BODY.length}`] })],
    ['a folded length', () => request({ framing: [`Content-Length:`, ` ${BODY.length}`] })],
    [
      'an underscore',
      () => request({ framing: [`Content-Length: ${BODY.length}`, 'Transfer_Encoding: chunked'] }),
    ],
    [
      'a negative chunk',
      () => request({ framing: ['Transfer-Encoding: chunked'] }, `-1\r\n${BODY}\r\n0\r\n\r\n`),
    ],
    [
      'a chunk longer than it says',
      () => request({ framing: ['Transfer-Encoding: chunked'] }, `4\r\n${BODY}\r\n0\r\n\r\n`),
    ],
    [
      'bare line feeds in chunks',
      () => request({ framing: ['Transfer-Encoding: chunked'] }, chunked(BODY).replaceAll('\r\n', '\n')),
    ],
    ['an absolute target', () => request({ target: 'http://other.test/v1/chat/completions' })],
    ['an escaped path', () => request({ target: '/v1/chat/%63ompletions' })],
    ['a path with dots', () => request({ target: '/v1/../v1/chat/completions' })],
    ['a doubled slash', () => request({ target: '/v1//chat/completions' })],
    ['a query', () => request({ target: '/v1/chat/completions?model=other' })],
    ['a fragment', () => request({ target: '/v1/chat/completions#x' })],
    ['another charset', () => request({ type: 'application/json; charset=utf-16' })],
    ['a form', () => request({ type: 'multipart/form-data; boundary=x' })],
    ['text', () => request({ type: 'text/plain' })],
    [
      'a coding',
      () =>
        Buffer.concat([
          Buffer.from(
            request({ framing: ['Content-Encoding: gzip', `Content-Length: ${gzipSync(BODY).length}`] }, ''),
          ),
          gzipSync(BODY),
        ]),
    ],
    [
      'an upgrade',
      () => request({ framing: ['Connection: Upgrade', 'Upgrade: h2c', `Content-Length: ${BODY.length}`] }),
    ],
    [
      'a connection header that drops the credential',
      () => request({ framing: ['Connection: authorization', `Content-Length: ${BODY.length}`] }),
    ],
  ])('%s', async (_what, bytes) => {
    const { statuses: seen, reached } = await outcome(bytes())
    expect([reached, seen.every((status) => status >= 400 && status < 500)]).toEqual([0, true])
  })

  test('chunk extensions and trailers say nothing', async () => {
    const body = `${BODY.length.toString(16)};model=other\r\n${BODY}\r\n0\r\nAuthorization: Bearer x\r\nX-Api-Key: y\r\n\r\n`
    const { reached } = await outcome(request({ framing: ['Transfer-Encoding: chunked'] }, body))
    expect(reached).toBeLessThanOrEqual(1)
    expect(guard.arrived.join('')).not.toContain('other')
  })
})

describe('requests behind each other on one connection', () => {
  test('each is judged by its own credential', async () => {
    const stranger = request({ credential: [], more: true })
    expect(await outcome(request({ more: true }) + stranger + request())).toEqual({
      statuses: [200, 401, 200],
      reached: 2,
    })
  })

  test('what follows a refused body is not a request', async () => {
    const hidden = request()
    const outer = request({ credential: [], framing: [`Content-Length: ${hidden.length}`] }, hidden)
    expect(await outcome(outer)).toEqual({ statuses: [401], reached: 0 })
    const early = request({ target: '/nowhere', framing: ['Content-Length: 10'] }, hidden)
    expect((await outcome(early)).reached).toBe(0)
  })

  test('what follows a broken one is not read', async () => {
    const broken = request({ framing: ['Transfer-Encoding: chunked'] }, `zz\r\n${BODY}`)
    expect((await outcome(broken + request())).reached).toBe(0)
  })
})

describe('nobody is taken for somebody else', () => {
  const key = (): string => guard.keys.developer
  test.each<[string, () => readonly string[]]>([
    ['no credential', () => []],
    ['an empty one', () => ['Authorization: Bearer ']],
    ['a cookie', () => [`Cookie: authorization=Bearer ${key()}`]],
    ['a proxy credential', () => [`Proxy-Authorization: Bearer ${key()}`]],
    ['another scheme', () => [`Authorization: Basic ${key()}`]],
    ['no scheme', () => [`Authorization: ${key()}`]],
    ['two blanks', () => [`Authorization: Bearer  ${key()}`]],
    ['a tab', () => [`Authorization: Bearer\t${key()}`]],
    ['something behind it', () => [`Authorization: Bearer ${key()} x`]],
    ['a list', () => [`Authorization: Bearer ${key()}, Bearer ${key()}`]],
    ['a key cut short', () => [`Authorization: Bearer ${key().slice(0, -1)}`]],
    ['a key in capitals', () => [`Authorization: Bearer ${key().toUpperCase()}`]],
    ['two headers', () => [`Authorization: Bearer ${key()}`, `Authorization: Bearer ${key()}`]],
    ['two kinds of header', () => [`Authorization: Bearer ${key()}`, `X-Api-Key: ${key()}`]],
    ['the same key in two headers', () => [`X-Api-Key: ${key()}`, `Api-Key: ${key()}`]],
    [
      'an unsigned token',
      () => [
        `Authorization: Bearer ${['{"alg":"none"}', '{"sub":"admin"}'].map((part) => Buffer.from(part).toString('base64url')).join('.')}.`,
      ],
    ],
    [
      'claims of a gateway',
      () => ['X-Forwarded-User: admin', 'X-Forwarded-Client-Cert: URI=spiffe://a/b', 'X-Remote-User: admin'],
    ],
    ['a header with an underscore', () => [`X_Api_Key: ${key()}`]],
  ])('%s', async (_what, credential) => {
    const { statuses: seen, reached } = await outcome(request({ credential: credential() }))
    expect([reached, seen.length === 1 && (seen[0] === 401 || seen[0] === 400)]).toEqual([0, true])
  })

  test('and no spelling of who asks changes who is recorded', async () => {
    const claims = [
      'X-Forwarded-For: 10.9.9.9',
      'X-Real-Ip: 10.9.9.9',
      'Forwarded: for=10.9.9.9',
      'X-User: admin-1',
    ]
    await outcome(request({ credential: [`authorization: bEARER ${key()}`, ...claims] }))
    const record = (await guard.records()).at(-1)
    expect(record).toMatchObject({ status: 200, caller: { subject: 'developer-1' }, client: '127.0.0.1' })
  })
})

test('every one of these left a record, and the log verifies', async () => {
  const metrics = await (await fetch(`${guard.adminUrl}/metrics`)).text()
  const refused = [...metrics.matchAll(/^postern_refusals_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
  const records = await guard.records()
  expect(records.filter(({ outcome: how }) => how !== 'allowed')).toHaveLength(refused)
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length)
  expect(await verifyAudit(guard.auditFile)).toMatchObject({ ok: true })
})
