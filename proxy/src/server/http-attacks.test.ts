import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { EdgeRefusal } from './dispatch.ts'
import { exchange, open, post, readAll, start, statuses, stopAll, type Started } from './test/start.ts'

let guard: Started
const refused: EdgeRefusal[] = []
beforeAll(async () => {
  guard = await start({ refused: (one) => void refused.push(one) })
})
afterAll(stopAll)

const send = async (
  raw: string | Buffer,
): Promise<{ status: number | undefined; text: string; reached: number }> => {
  const before = guard.received.length
  const text = await exchange(guard.port, raw, 100)
  return { status: statuses(text)[0], text, reached: guard.received.length - before }
}

const line = (first: string, ...headers: readonly string[]): string =>
  [first, 'Host: guard.test', ...headers, '', ''].join('\r\n')

const chunkedPost = (...headers: readonly string[]): string =>
  `${line('POST /v1/chat/completions HTTP/1.1', 'Content-Type: application/json', ...headers)}2\r\n{}\r\n0\r\n\r\n`

describe('never reaches the handler:', () => {
  const attacks: readonly (readonly [string, string, number])[] = [
    [
      'content-length with transfer-encoding',
      chunkedPost('Content-Length: 2', 'Transfer-Encoding: chunked'),
      400,
    ],
    ['two content-lengths', post('{}', ['Content-Length: 2']), 400],
    ['two different content-lengths', post('{}', ['Content-Length: 3']), 400],
    ['a signed content-length', post('{}').replace('Length: 2', 'Length: +2'), 400],
    ['a content-length list', post('{}').replace('Length: 2', 'Length: 2, 2'), 400],
    ['another transfer coding', chunkedPost('Transfer-Encoding: gzip, chunked'), 400],
    [
      'a coding in capitals with a twin',
      chunkedPost('Transfer-Encoding: chunked', 'Transfer-Encoding: identity'),
      400,
    ],
    ['a coding with a tab', chunkedPost('Transfer-Encoding: \vchunked'), 400],
    ['a blank before the colon', post('{}', ['X-A : 1']), 400],
    ['a folded header', post('{}', ['X-A: 1', ' folded']), 400],
    ['a bare line feed', post('{}').replaceAll('\r\n', '\n'), 400],
    ['a bare carriage return', post('{}', ['X-A: 1\rX-B: 2']), 400],
    ['a zero byte in a header', post('{}', ['X-A: a\0b']), 400],
    ['letters beyond ASCII in a header', post('{}', ['X-A: caf\xe9']), 400],
    ['no host', post('{}').replace('Host: guard.test\r\n', ''), 400],
    ['two hosts', post('{}', ['Host: other.test']), 400],
    ['a host with a path', post('{}').replace('guard.test', 'guard.test/x'), 400],
    ['a host list', post('{}').replace('guard.test', 'a, b'), 400],
    ['two credentials', post('{}', ['Authorization: Bearer a', 'Authorization: Bearer b']), 400],
    ['two API keys', post('{}', ['x-api-key: a', 'X-Api-Key: b']), 400],
    ['two content types', post('{}', ['content-type: text/plain']), 400],
    ['two forwarded addresses', post('{}', ['X-Forwarded-For: 1.1.1.1', 'x-forwarded-for: 2.2.2.2']), 400],
    ['a header alias with underscores', post('{}', ['x_api_key: a']), 400],
    ['a connection header that names a credential', post('{}', ['Connection: close, authorization']), 400],
    [
      'a connection header that hides one far back',
      post('{}', ['Connection: close,close,close,close,close,x-api-key']),
      400,
    ],
    ['an upgrade', post('{}', ['Connection: Upgrade', 'Upgrade: websocket']), 400],
    [
      'an upgrade to HTTP/2',
      post('{}', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AA']),
      400,
    ],
    ['an upgrade header alone', post('{}', ['Upgrade: websocket']), 400],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['CONNECT', line('CONNECT guard.test:443 HTTP/1.1'), 400],
    ['an absolute target', line('GET http://guard.test/v1/models HTTP/1.1'), 400],
    ['an authority as target', line('GET guard.test:80 HTTP/1.1'), 400],
    ['an asterisk as target', line('OPTIONS * HTTP/1.1'), 400],
    ['HTTP/1.0', line('GET /v1/models HTTP/1.0'), 505],
    ['HTTP/0.9', 'GET /v1/models\r\n\r\n', 505],
    ['a doubled slash', line('GET //v1/models HTTP/1.1'), 404],
    ['a trailing slash', line('GET /v1/models/ HTTP/1.1'), 404],
    ['a dot segment', line('GET /v1/./models HTTP/1.1'), 404],
    ['a query after a name', line('GET /v1/models/a?x=1 HTTP/1.1'), 400],
    ['a name after a doubled slash', line('GET /v1//models/a HTTP/1.1'), 404],
    ['POST to a name', line('POST /v1/models/a HTTP/1.1', 'Content-Length: 2') + '{}', 405],
    ['a dot-dot segment', line('GET /x/../v1/models HTTP/1.1'), 404],
    ['an escaped slash', line('GET /v1%2fmodels HTTP/1.1'), 404],
    ['an escaped letter', line('GET /v1/%6dodels HTTP/1.1'), 404],
    ['a backslash', line('GET /v1\\models HTTP/1.1'), 404],
    ['a path parameter', line('GET /v1/models;x=1 HTTP/1.1'), 404],
    ['a fragment', line('GET /v1/models#x HTTP/1.1'), 404],
    ['another case', line('GET /V1/Models HTTP/1.1'), 404],
    ['a query', line('GET /v1/models?x=1 HTTP/1.1'), 400],
    ['a query key given twice', post('{}', [], '/v1/messages?beta=true&beta=false'), 400],
    ['a query with an escape', post('{}', [], '/v1/messages?beta=%00'), 400],
    ['HEAD', line('HEAD /v1/models HTTP/1.1'), 405],
    ['OPTIONS', line('OPTIONS /v1/chat/completions HTTP/1.1'), 405],
    ['TRACE', line('TRACE /v1/models HTTP/1.1'), 405],
    ['the wrong method', line('GET /v1/chat/completions HTTP/1.1'), 405],
    ['a method in small letters', line('get /v1/models HTTP/1.1'), 400],
    ['a GET with a body', line('GET /v1/models HTTP/1.1', 'Content-Length: 1') + 'x', 400],
    [
      'a GET with a chunked body',
      line('GET /v1/models HTTP/1.1', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
      400,
    ],
    ['an unknown expectation', post('{}', ['Expect: the-unexpected']), 417],
    ['an expectation with another one', post('{}', ['Expect: 100-continue, x']), 417],
    ['a compressed body', post('{}', ['Content-Encoding: gzip']), 415],
    ['another media type', post('{}').replace('application/json', 'text/plain'), 415],
    ['another charset', post('{}').replace('application/json', 'application/json; charset=utf-7'), 415],
    [
      'a second media type parameter',
      post('{}').replace('application/json', 'application/json; charset=utf-8; a=b'),
      415,
    ],
    ['no media type', post('{}').replace('Content-Type: application/json\r\n', ''), 415],
    ['JSON for the token route', post('{}', [], '/oauth/token'), 415],
  ]

  test.each(attacks)('%s', async (_what, raw, status) => {
    const seen = await send(raw)
    expect({ status: seen.status, reached: seen.reached }).toEqual({ status, reached: 0 })
  })
})

describe('reaches the handler:', () => {
  const good: readonly (readonly [string, string])[] = [
    [
      'a media type with the charset',
      post('{}').replace('application/json', 'Application/JSON; charset="UTF-8"'),
    ],
    ['an identity coding', post('{}', ['Content-Encoding: identity'])],
    [
      'what the Anthropic clients send',
      post('{}', ['anthropic-version: 2023-06-01'], '/v1/messages?beta=true'),
    ],
    [
      'a form for the token route',
      post('a=b', [], '/oauth/token').replace('application/json', 'application/x-www-form-urlencoded'),
    ],
    ['TE and repeated lists', post('{}', ['TE: trailers', 'Accept: a/b', 'Accept: c/d'])],
  ]

  test.each(good)('%s', async (_what, raw) => {
    expect(await send(raw)).toMatchObject({ status: 200, reached: 1 })
  })
})

test('a method that a route does not take is answered with those that it does', async () => {
  const { text } = await send(line('OPTIONS /v1/chat/completions HTTP/1.1'))
  expect(text).toContain('allow: POST')
})

test('a request hidden behind a body is only ever read as the next request', async () => {
  const hidden = line('GET /v1/models HTTP/1.1')
  const text = await exchange(guard.port, post(hidden) + line('GET /nowhere HTTP/1.1'), 100)
  expect(statuses(text)).toEqual([200, 404])
})

test('what follows a refused upgrade is not served', async () => {
  const before = guard.received.length
  const upgrade = line('GET /v1/models HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket')
  const text = await exchange(guard.port, upgrade + line('GET /v1/models HTTP/1.1'), 100)
  expect(statuses(text)).toEqual([400])
  expect(guard.received.length).toBe(before)
})

test('bytes that are no HTTP get an answer that is, while an answer in progress is never written into', async () => {
  const { text } = await send(Buffer.from([22, 3, 1, 0, 200, 1, 0, 0]))
  expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(text).toContain('"code":"headers_invalid"')
  expect(text).toMatch(/x-request-id: [0-9a-f-]{36}/)
})

test('a broken chunk in a body that is being read ends in one refusal', async () => {
  const socket = await open(guard.port)
  socket.write(
    line(
      'POST /v1/chat/completions HTTP/1.1',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
    ),
  )
  socket.write('2\r\n{}\r\n')
  setTimeout(() => socket.write('ZZ\r\n'), 50)
  expect(statuses(await readAll(socket, 200))).toEqual([400])
})

test('what is refused before the handler is told to whoever records it, without text of the client', () => {
  expect(refused.length).toBeGreaterThan(60)
  expect(refused.every(({ id, client }) => /^[0-9a-f-]{36}$/.test(id) && client === '127.0.0.1')).toBe(true)
  expect(JSON.stringify(refused.map(({ refusal }) => refusal.details))).not.toMatch(/guard\.test|Bearer/)
})
