import { afterEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { Refusal } from '../core/refusal.ts'
import type { Received, StreamAnswer } from '../core/exchange.ts'
import { exchange, open, post, readAll, start, statuses, stopAll } from './test/start.ts'

afterEach(stopAll)

const get = (path: string, headers: readonly string[] = []): string =>
  [`GET ${path} HTTP/1.1`, 'Host: guard.test', ...headers, '', ''].join('\r\n')

const chunked = (pieces: readonly string[]): string =>
  [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: guard.test',
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    '',
    pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('') + '0\r\n\r\n',
  ].join('\r\n')

describe('an exchange', () => {
  test('reaches the handler with its route and body, and is answered with an id of our own', async () => {
    const { port, received } = await start()
    const text = await exchange(port, post('{"a":1}', ['X-Request-Id: mine']))
    expect(statuses(text)).toEqual([200])
    expect(text).toContain('{"route":"openai.chat","body":"{\\"a\\":1}"}')
    expect(text).toContain(`x-request-id: ${received[0]!.id}\r\n`)
    expect(received[0]!.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(text).toContain('x-content-type-options: nosniff')
    expect(text).toContain('cache-control: no-store')
    expect(text.toLowerCase()).not.toContain('server:')
  })

  test('may come in chunks, with extensions and trailers that nobody sees', async () => {
    const { port, received } = await start()
    const raw = chunked(['{"a"', ':1}'])
      .replace('4\r\n', '4;ext=1\r\n')
      .replace('0\r\n\r\n', '0\r\nX-Api-Key: k\r\n\r\n')
    expect(await exchange(port, raw)).toContain('{\\"a\\":1}')
    expect(received[0]!.presented.headers['x-api-key']).toBeUndefined()
  })

  test('passes on only the headers that change what a model does', async () => {
    const { port, received } = await start()
    await exchange(
      port,
      post('{}', [
        'Authorization: Bearer t',
        'anthropic-beta: b-1',
        'OpenAI-Beta: o',
        'Cookie: c',
        'X-Other: 1',
      ]),
    )
    expect(received[0]!.headers).toEqual({ 'anthropic-beta': 'b-1', 'openai-beta': 'o' })
    expect(received[0]!.presented.headers.authorization).toBe('Bearer t')
  })

  test('tells the liveness of the process without authentication', async () => {
    const { port, received } = await start()
    expect(await exchange(port, get('/healthz'))).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nok\n$/)
    expect(received).toEqual([])
  })

  test('shows the client only response headers of the allow-list', async () => {
    const { port } = await start({}, ({ answer }) =>
      answer.whole(
        200,
        { 'content-type': 'a/b', 'set-cookie': 'x', server: 'y', 'x-ratelimit-limit-requests': '1' },
        'x',
      ),
    )
    const text = await exchange(port, post('{}'))
    expect(text).toContain('x-ratelimit-limit-requests: 1')
    expect(text).not.toMatch(/set-cookie|server: y/)
  })

  test('drops a response header that could end the head early', async () => {
    const { port } = await start({}, ({ answer }) =>
      answer.whole(200, { 'retry-after': '1\r\nx-evil: 1' }, ''),
    )
    expect(await exchange(port, post('{}'))).not.toContain('evil')
  })

  test('asks for the body of a client that expects 100 Continue only when somebody reads it', async () => {
    const { port } = await start({}, async (one) => {
      if (one.presented.headers.authorization === undefined) throw new Refusal('unauthenticated')
      await one.answer.whole(200, {}, await one.body())
    })
    const head = (extra: string): string =>
      post('', [`Expect: 100-continue`, extra]).replace('Length: 0', 'Length: 2')
    const refused = await exchange(port, head('X-No: 1'), 1300)
    expect(statuses(refused)).toEqual([401])
    const socket = await open(port)
    socket.write(head('Authorization: Bearer t'))
    setTimeout(() => socket.write('{}'), 100)
    expect(statuses(await readAll(socket, 400))).toEqual([100, 200])
    socket.destroy()
  })
})

describe('an answer', () => {
  test('that the handler fails to give is a refusal', async () => {
    const { port } = await start({}, () => Promise.reject(new TypeError('boom')))
    const text = await exchange(port, post('{}'))
    expect(statuses(text)).toEqual([503])
    expect(text).toContain('"code":"guard_failed"')
    expect(text).not.toContain('boom')
  })

  test('that the handler forgets to give is a refusal', async () => {
    const { port } = await start({}, () => Promise.resolve())
    expect(await exchange(port, post('{}'))).toContain('"code":"guard_failed"')
  })

  test('carries the headers of its refusal, with what the clients obey', async () => {
    const { port } = await start({}, () =>
      Promise.reject(new Refusal('rate_limited', { headers: { 'retry-after': '3' } })),
    )
    const text = await exchange(port, post('{}'))
    expect(text).toContain('retry-after: 3')
    expect(text).toContain('x-should-retry: true')
  })

  test('in pieces is cut when the handler throws in the middle', async () => {
    const { port } = await start({}, async ({ answer }) => {
      const stream = answer.stream(200, { 'content-type': 'text/event-stream' })
      await stream.write('data: 1\n\n')
      throw new Error('boom')
    })
    const text = await exchange(port, post('{}'))
    expect(text).toContain('HTTP/1.1 200')
    expect(text).not.toContain('\r\n0\r\n\r\n')
  })

  test('in pieces sends its head before the first piece', async () => {
    let stream: StreamAnswer | undefined
    const { port } = await start({}, ({ answer }) => {
      stream = answer.stream(200, { 'content-type': 'text/event-stream' })
      return new Promise<void>((resolve) => setTimeout(resolve, 600).unref())
    })
    const socket = await open(port)
    socket.write(post('{}'))
    expect(statuses(await readAll(socket, 100))).toEqual([200])
    stream!.destroy()
  })

  test('in pieces waits for a client that reads slowly, and cuts one that stops', async () => {
    const outcome = new Promise<string>((resolve) => {
      void start({ limits: { writeStallMs: 300 } }, async ({ answer }) => {
        const stream = answer.stream(200, {})
        try {
          for (;;) await stream.write('x'.repeat(65_536))
        } catch (error) {
          resolve((error as Refusal).code)
        }
      }).then(async ({ port }) => {
        const socket = await open(port)
        socket.pause()
        socket.write(post('{}'))
      })
    })
    expect(await outcome).toBe('client_gone')
  })

  test('that is whole is cut too when the client does not read it', async () => {
    const outcome = new Promise<string>((resolve) => {
      void start({ limits: { writeStallMs: 300, checkIntervalMs: 50 } }, async ({ answer }) => {
        await answer
          .whole(200, {}, 'x'.repeat(64 * 1024 * 1024))
          .catch((error: unknown) => resolve((error as Refusal).code))
      }).then(async ({ port }) => {
        const socket = await open(port)
        socket.pause()
        socket.write(post('{}'))
      })
    })
    expect(await outcome).toBe('client_gone')
  })

  test('is not awaited by a client that left: the signal aborts', async () => {
    let received: Received | undefined
    const aborted = new Promise<boolean>((resolve) => {
      let reached = (): void => undefined
      void start({}, (one) => {
        received = one
        reached()
        return new Promise((_resolve, reject) => {
          one.signal.addEventListener('abort', () => {
            resolve(true)
            reject(new Refusal('client_gone'))
          })
        })
      }).then(async ({ port }) => {
        const socket = await open(port)
        reached = () => void socket.destroy()
        socket.write(post('{}'))
      })
    })
    expect(await aborted).toBe(true)
    await expect(received!.answer.whole(200, {}, '')).rejects.toMatchObject({ code: 'client_gone' })
  })
})

describe('bounds', () => {
  test('a body that announces too much is refused before it is sent', async () => {
    const { port, received } = await start({ limits: { bodyBytes: 100 } })
    const text = await exchange(port, post('x'.repeat(101)))
    expect(statuses(text)).toEqual([413])
    expect(received).toEqual([])
  })

  test('a body that turns out too long is refused, and the refusal arrives while the client still sends', async () => {
    const { port } = await start({ limits: { bodyBytes: 10_000 } })
    const text = await exchange(port, chunked(Array<string>(100).fill('x'.repeat(4000))), 1200)
    expect(statuses(text)).toEqual([413])
    expect(text).toContain('connection: close')
  })

  test('who sends twice as much as is accepted, and reads only then, gets the refusal and no reset', async () => {
    const { port } = await start({ limits: { bodyBytes: 4_000_000 } })
    const socket = await open(port)
    await new Promise((sent) => socket.write(post('x'.repeat(8_000_000)), sent))
    expect(statuses(await readAll(socket, 1500))).toEqual([413])
    socket.destroy()
  })

  test('a body of one-byte pieces is cut after the first thousand', async () => {
    const { port } = await start()
    const socket = await open(port)
    const sent = chunked(Array<string>(200_000).fill('x'))
    socket.write(sent)
    const text = await readAll(socket, 1500)
    expect(statuses(text)).toEqual([400])
    expect(text).toContain('tiny pieces')
    socket.destroy()
  })

  test('a body that does not come in time is refused', async () => {
    const { port } = await start({ limits: { requestTimeoutMs: 200 } })
    const text = await exchange(port, post('{}').slice(0, -1), 1600)
    expect(statuses(text)).toEqual([408])
    expect(text).toContain('request_timeout')
  })

  test('a head that does not come in time is refused', async () => {
    const { port } = await start({ limits: { headersTimeoutMs: 200, checkIntervalMs: 50 } })
    expect(statuses(await exchange(port, 'GET /healthz HTTP/1.1\r\nHo', 400))).toEqual([408])
  })

  test('a connection without a first byte is closed', async () => {
    const { port } = await start({ limits: { firstByteTimeoutMs: 150 } })
    const socket = await open(port)
    const text = await readAll(socket, 1000)
    expect(text).toBe('')
    expect(socket.closed || socket.readableEnded).toBe(true)
  })

  test('a waiting exchange is not cut by the first-byte timeout', async () => {
    const { port } = await start({ limits: { firstByteTimeoutMs: 1000 } }, async ({ answer }) => {
      await new Promise((resolve) => setTimeout(resolve, 1300))
      await answer.whole(200, {}, '')
    })
    expect(statuses(await exchange(port, post('{}'), 600))).toEqual([200])
  })

  test('too many headers are refused, not dropped', async () => {
    const { port } = await start({ limits: { headers: 8 } })
    const many = Array.from({ length: 20 }, (_, i) => `x-h${i}: 1`)
    expect(statuses(await exchange(port, post('{}', many)))).toEqual([431])
  })

  test('too long headers are refused', async () => {
    const { port } = await start()
    expect(statuses(await exchange(port, post('{}', [`x-a: ${'a'.repeat(17_000)}`])))).toEqual([431])
  })

  test('connections are bounded in all and per address', async () => {
    const { port } = await start({ limits: { connectionsPerAddress: 2 } })
    const first = await open(port)
    const second = await open(port)
    expect(await exchange(port, get('/healthz'))).toBe('')
    first.destroy()
    second.destroy()
    // The server hears of it when it does.
    while (statuses(await exchange(port, get('/healthz')))[0] !== 200);
  })

  test('an old connection ends with its next answer, and an idle one loses no request', async () => {
    const { port } = await start({ limits: { connectionAgeMs: 2000, checkIntervalMs: 50 } })
    const socket = await open(port)
    socket.write(get('/healthz'))
    expect(statuses(await readAll(socket, 200))).toEqual([200])
    await new Promise((resolve) => setTimeout(resolve, 2200))
    expect(socket.readableEnded).toBe(false)
    socket.write(get('/healthz'))
    const text = await readAll(socket, 500)
    expect(statuses(text)).toEqual([200])
    expect(text.toLowerCase()).toContain('connection: close')
    expect(socket.readableEnded).toBe(true)
  })

  test('the last request that a connection may carry says so', async () => {
    const { port } = await start({ limits: { requestsPerConnection: 2 } })
    const text = await exchange(port, get('/healthz') + get('/healthz') + get('/healthz'), 300)
    expect(statuses(text)[1]).toBe(200)
    expect(text.toLowerCase()).toContain('connection: close')
    expect(statuses(text)).not.toContain(404)
    expect(statuses(text).filter((status) => status === 200)).toHaveLength(2)
  })
})

describe('pipelined requests', () => {
  test('are served one after the other, in order', async () => {
    let running = 0
    let most = 0
    const { port } = await start({}, async (one) => {
      most = Math.max(most, ++running)
      const bytes = await one.body()
      await new Promise((resolve) => setTimeout(resolve, 20))
      running--
      await one.answer.whole(200, {}, bytes)
    })
    const text = await exchange(port, post('{"n":1}') + post('{"n":2}') + post('{"n":3}'), 300)
    expect(statuses(text)).toEqual([200, 200, 200])
    expect(text.indexOf('{"n":1}')).toBeLessThan(text.indexOf('{"n":2}'))
    expect(most).toBe(1)
  })

  test('are cut off when there are too many', async () => {
    const { port } = await start({ limits: { pipelined: 2 } }, async ({ answer }) => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      await answer.whole(200, {}, '')
    })
    const text = await exchange(port, post('{}').repeat(10), 300)
    expect(statuses(text).length).toBeLessThan(3)
  })
})

describe('drain', () => {
  test('lets a running stream finish, announces the end to others, and then refuses connections', async () => {
    let finish: () => void = () => undefined
    const { server, port } = await start(
      { drain: { graceMs: 1500, deadlineMs: 15_000 } },
      async ({ answer }) => {
        const stream = answer.stream(200, {})
        await stream.write('begin;')
        await new Promise<void>((resolve) => (finish = resolve))
        await stream.write('end;')
        await stream.end()
      },
    )
    const socket = await open(port)
    socket.write(post('{}'))
    await once(socket, 'readable')
    const reading = readAll(socket, 15_000)
    const drained = server.drain()
    expect(server.draining).toBe(true)
    expect(await exchange(port, get('/healthz'))).toContain('connection: close')
    await new Promise((resolve) => setTimeout(resolve, 1700))
    await expect(open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    finish()
    expect(await reading).toContain('end;')
    await drained
  })

  test('cuts what still runs at the deadline', async () => {
    const { server, port } = await start(
      { drain: { graceMs: 0, deadlineMs: 200 } },
      async ({ answer, signal }) => {
        const stream = answer.stream(200, {})
        await stream.write('begin;')
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    )
    const socket = await open(port)
    socket.write(post('{}'))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await server.drain()
    expect(await readAll(socket, 100)).not.toContain('\r\n0\r\n')
  })

  test('does not wait for idle connections', async () => {
    const { server, port } = await start()
    const agentless = await new Promise<number>((resolve) => {
      const request = httpRequest(
        { port, path: '/healthz', headers: { connection: 'keep-alive' } },
        (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0))
        },
      )
      request.end()
    })
    expect(agentless).toBe(200)
    await server.drain()
  })
})
