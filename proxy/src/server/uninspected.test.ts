import { afterEach, describe, expect, test } from '@jest/globals'
import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Route } from '../core/exchange.ts'
import { noMeter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import { exchange, open, readAll, start, statuses, stopAll, type Started } from './test/start.ts'

const route = (name: string, method: 'GET' | 'POST', path: string): Route => ({
  ...{ name, method, path, kind: 'uninspected', dialect: undefined, body: 'any', query: [], inspect: false },
})

const closers: (() => void)[] = []
afterEach(async () => {
  await stopAll()
  for (const close of closers.splice(0)) close()
})

const upstream = async (set: (server: HttpServer) => void): Promise<string> => {
  const server = createServer()
  set(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Guarded extends Started {
  readonly counts: string[]
}

const guarded = async (url: string): Promise<Guarded> => {
  const counts: string[] = []
  const started = await start({
    routes: [route('files', 'POST', '/v1/files'), route('socket', 'GET', '/v1/realtime')],
    uninspected: {
      authorize: ({ presented }) =>
        presented.headers.authorization === 'Bearer good'
          ? Promise.resolve()
          : Promise.reject(new Refusal('unauthenticated', { headers: { 'www-authenticate': 'Bearer' } })),
      upstreams: Object.fromEntries(
        ['files', 'socket'].map((name) => [
          name,
          { url: `${url}/base/${name}`, headers: { authorization: 'Bearer ours' }, idleTimeoutMs: 1000 },
        ]),
      ),
    },
    meter: { ...noMeter, add: (...args) => void counts.push(args.join(' ')) },
  })
  return { ...started, counts }
}

const upload = (...headers: readonly string[]): string =>
  [
    'POST /v1/files HTTP/1.1',
    'Host: guard.test',
    'Content-Type: application/octet-stream',
    'Content-Length: 3',
    ...headers,
    '',
    'abc',
  ].join('\r\n')

const upgrade = (...headers: readonly string[]): string =>
  [
    'GET /v1/realtime HTTP/1.1',
    'Host: guard.test',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '',
    '',
  ].join('\r\n')

const GOOD = 'Authorization: Bearer good'

describe('a request on an uninspected route', () => {
  test('passes with its body, is counted and marked, and leaves credentials and cookies behind', async () => {
    let seen: IncomingMessage | undefined
    const url = await upstream((server) =>
      server.on('request', (request, response) => {
        seen = request
        response.writeHead(200, {
          'content-type': 'text/x',
          'set-cookie': 'a=b',
          server: 'model',
          'x-odd': '1',
        })
        request.pipe(response)
      }),
    )
    const { port, counts } = await guarded(url)
    const text = await exchange(
      port,
      upload(GOOD, 'Cookie: c', 'x-api-key: k', 'X-Forwarded-For: 1.1.1.1', 'X-Any: 1'),
    )
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toContain('x-postern-inspected: false')
    expect(text).toContain('abc')
    expect(text).not.toMatch(/set-cookie|server: model|x-odd/i)
    expect(seen!.url).toBe('/base/files')
    expect(seen!.headers.authorization).toBe('Bearer ours')
    expect(Object.keys(seen!.headers).sort()).toEqual([
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
    ])
    expect(counts).toContain('postern_uninspected_total 1 files')
  })

  test('does not pass for a caller who is not known', async () => {
    let reached = 0
    const url = await upstream((server) => server.on('request', () => (reached += 1)))
    const { port, counts } = await guarded(url)
    const text = await exchange(port, upload('Authorization: Bearer bad'))
    expect(statuses(text)).toEqual([401])
    expect(text).toContain('www-authenticate: Bearer')
    expect(reached).toBe(0)
    expect(counts.filter((count) => count.includes('uninspected'))).toEqual([])
  })

  test('is refused when the upstream is not there, and cut when it breaks off', async () => {
    const gone = await guarded('http://127.0.0.1:1')
    expect(await exchange(gone.port, upload(GOOD), 400)).toContain('"code":"model_unavailable"')
    const url = await upstream((server) =>
      server.on('request', (_request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('part')
        setTimeout(() => response.destroy(), 50)
      }),
    )
    const broken = await guarded(url)
    const socket = await open(broken.port)
    socket.write(upload(GOOD))
    expect(await readAll(socket, 1000)).toContain('part')
    expect(socket.closed || socket.readableEnded).toBe(true)
  })
})

test('a client that leaves during an uninspected answer cancels it at the upstream', async () => {
  const cancelled = new Promise<boolean>((resolve) => {
    void upstream((server) =>
      server.on('request', (request, response) => {
        request.resume()
        response.write('part')
        response.on('close', () => resolve(!response.writableFinished))
      }),
    ).then(async (url) => {
      const { port } = await guarded(url)
      const socket = await open(port)
      socket.write(upload(GOOD))
      await readAll(socket, 100)
      socket.destroy()
    })
  })
  expect(await cancelled).toBe(true)
})

describe('a WebSocket on an uninspected route', () => {
  const echoing = (): Promise<string> =>
    upstream((server) =>
      server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
        socket.on('error', () => undefined)
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: a=b\r\nSec-WebSocket-Accept: x\r\n\r\n${request.headers.authorization ?? ''};`,
        )
        socket.pipe(socket)
      }),
    )

  test('passes in both directions, counted and marked, with our credential', async () => {
    const { port, counts } = await guarded(await echoing())
    const socket = await open(port)
    socket.write(upgrade(GOOD))
    socket.once('data', () => socket.write('ping'))
    const text = await readAll(socket, 300)
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    expect(text).toContain('x-postern-inspected: false')
    expect(text).not.toMatch(/set-cookie/i)
    expect(text).toContain('Bearer ours;')
    expect(text).toContain('ping')
    expect(counts).toContain('postern_uninspected_total 1 socket')
    socket.destroy()
  })

  test('is refused without a credential, with another protocol, and on inspected routes', async () => {
    const { port } = await guarded(await echoing())
    expect(statuses(await exchange(port, upgrade()))).toEqual([401])
    expect(
      statuses(await exchange(port, upgrade(GOOD).replace('Upgrade: websocket', 'Upgrade: h2c'))),
    ).toEqual([400])
    expect(statuses(await exchange(port, upgrade(GOOD).replace('/v1/realtime', '/v1/files')))).toEqual([400])
    expect(statuses(await exchange(port, upgrade(GOOD, 'Content-Length: 3') + 'abc'))).toEqual([400])
  })

  test('is refused when the upstream does not switch protocols: its answer stays unread', async () => {
    const answers = [
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=b\r\n',
      'HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n',
    ]
    const url = await upstream((server) => {
      server.on('upgrade', (_request, socket) => {
        socket.end(`${answers.shift() ?? ''}Content-Length: 4\r\n\r\nleak`)
      })
    })
    const { port } = await guarded(url)
    while (answers.length > 0) {
      const text = await exchange(port, upgrade(GOOD), 300)
      expect(statuses(text)).toEqual([503])
      expect(text).not.toContain('leak')
    }
  })

  test('is refused when the upstream is not there', async () => {
    const { port } = await guarded('http://127.0.0.1:1')
    expect(statuses(await exchange(port, upgrade(GOOD), 300))).toEqual([503])
  })

  test('is cut when idle for too long, and does not hold up the end', async () => {
    const { server, port } = await guarded(await echoing())
    const socket = await open(port)
    socket.write(upgrade(GOOD))
    await readAll(socket, 2000)
    expect(socket.closed || socket.readableEnded).toBe(true)
    const other = await open(port)
    other.write(upgrade(GOOD))
    await readAll(other, 100)
    await server.close(100)
  })
})

test('a route without inspection needs an upstream and somebody who authorises', async () => {
  await expect(start({ routes: [route('files', 'POST', '/v1/files')] })).rejects.toThrow('authorises')
})
