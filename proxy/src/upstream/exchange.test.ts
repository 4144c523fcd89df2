import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Refusal } from '../core/refusal.ts'
import { upstream, chat, codeOf, never, read } from './test/models.ts'
import { chunk, chunkedHead, json } from './test/rawServer.ts'
import { against, closeAll, serve, several, until } from './test/servers.ts'

afterEach(closeAll)

describe('the request', () => {
  test('is built by the guard: our headers, the credential, the allowed ones of the client and nothing else', async () => {
    const { models, server } = await against((socket) => socket.write(json()), {
      credential: { header: 'X-Team-Key', value: 'k1' },
    })
    const headers = {
      traceparent: '00-1-2-01',
      'x-team-key': 'stolen',
      authorization: 'Bearer caller',
      cookie: 'a=b',
      host: 'other',
      'transfer-encoding': 'chunked',
      'content-length': '1',
      connection: 'x-team-key',
      'accept-encoding': 'gzip',
      expect: '100-continue',
    }
    await read(await models.call(chat({ headers }), never))
    const [head = '', body] = server.requests[0]?.split('\r\n\r\n') ?? []
    expect(head.split('\r\n')).toEqual([
      'POST /v1/chat/completions HTTP/1.1',
      `host: ${server.url.slice('http://'.length)}`,
      'connection: keep-alive',
      'content-type: application/json',
      'accept-encoding: identity',
      'x-team-key: k1',
      'accept: application/json',
      'traceparent: 00-1-2-01',
      'content-length: 17',
    ])
    expect(body).toBe('{"model":"small"}')
  })

  test('goes below the path of the upstream and asks for events when it streams', async () => {
    const server = await serve((socket) => socket.write(json()))
    const { models } = several({ upstreams: [upstream(`${server.url}/base/`)] })
    await read(await models.call(chat({ stream: true }), never))
    expect(server.requests[0]).toMatch(/^POST \/base\/v1\/chat\/completions /)
    expect(server.requests[0]).toContain('accept: text/event-stream, application/json\r\n')
  })

  test('names the model as the upstream does', async () => {
    const server = await serve((socket) => socket.write(json()))
    const { models } = several({
      upstreams: [upstream(server.url)],
      models: [
        { name: 'public', targets: [{ upstream: 'main', model: 'internal-7b' }] },
        { name: 'team-*', targets: [{ upstream: 'main' }] },
      ],
    })
    expect(models.names).toEqual(['public'])
    await read(await models.call(chat({ model: 'public' }), never))
    await read(await models.call(chat({ model: 'team-a' }), never))
    expect(server.requests.map((each) => each.split('\r\n\r\n')[1])).toEqual([
      '{"model":"internal-7b"}',
      '{"model":"team-a"}',
    ])
    for (const model of ['other', 'team', 'Public', '', `team-${'x'.repeat(300)}`])
      expect(await codeOf(models.call(chat({ model }), never))).toBe('model_unknown')
  })

  test('with a header that cannot be sent is our own failure and opens no circuit', async () => {
    const { models, server } = await against((socket) => socket.write(json()))
    for (let at = 0; at < 10; at += 1)
      expect(await codeOf(models.call(chat({ headers: { 'x-a': 'b\r\nc: d' } }), never))).toBe('guard_failed')
    expect(await codeOf(models.call(chat(), never))).toBe('answered: {"ok":true}')
    expect(server.requests).toHaveLength(1)
  })

  test('whose body cannot be built leaves nothing behind', async () => {
    const { models, server } = await against((socket) => socket.write(json()))
    const body = (): string => {
      throw new Refusal('guard_failed')
    }
    for (let at = 0; at < 20; at += 1)
      expect(await codeOf(models.call(chat({ body }), never))).toBe('guard_failed')
    expect(await codeOf(models.call(chat(), never))).toBe('answered: {"ok":true}')
    expect(server.requests).toHaveLength(1)
  })
})

describe('the answer', () => {
  test('keeps status and only the headers on the list', async () => {
    const { models } = await against((socket) =>
      socket.write(
        'HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\nRetry-After: 7\r\nX-Request-ID: r1\r\n' +
          'OpenAI-Processing-MS: 12\r\nx-ratelimit-remaining-tokens: 5\r\nset-cookie: a=b\r\nserver: x\r\n' +
          'content-length: 2\r\n\r\n{}',
      ),
    )
    const reply = await models.call(chat(), never)
    expect(reply.status).toBe(429)
    expect(reply.upstream).toBe('main')
    expect(reply.headers).toEqual({
      'content-type': 'application/json',
      'retry-after': '7',
      'x-request-id': 'r1',
      'openai-processing-ms': '12',
    })
    expect(await read(reply)).toBe('{}')
  })

  test('of a stream is given as it comes', async () => {
    const { models } = await against((socket) => {
      socket.write(chunkedHead + chunk('data: 1\n\n'))
      setTimeout(() => socket.write(`${chunk('data: 2\n\n')}0\r\n\r\n`), 50)
    })
    const reply = await models.call(chat({ stream: true }), never)
    const pieces: string[] = []
    for await (const piece of reply.body) pieces.push(Buffer.from(piece).toString())
    expect(pieces).toEqual(['data: 1\n\n', 'data: 2\n\n'])
  })

  test.each([
    { stream: true, type: 'text/event-stream', code: /^answered/ },
    { stream: true, type: 'application/json', code: /^model_answer_invalid/ },
    { stream: false, type: 'text/event-stream', code: /^model_answer_invalid/ },
  ])('may be longer only where it is a stream: %j', async ({ stream, type, code }) => {
    const body = chunk('x'.repeat(2000))
    const { models } = await against(
      (socket) =>
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n`,
        ),
      { maxBodyBytes: 1000, maxStreamBytes: 5000 },
    )
    expect(await codeOf(models.call(chat({ stream }), never))).toMatch(code)
  })

  test('that nobody reads fast keeps its sender waiting, and loses nothing', async () => {
    const size = 8_000_000
    let sent = 0
    const { models } = await against(
      (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`)
        const more = (): void => {
          while (sent < size) {
            sent += 16_000
            if (!socket.write('x'.repeat(16_000))) return
          }
        }
        socket.on('drain', more)
        more()
      },
      { maxBodyBytes: size },
    )
    const reply = await models.call(chat(), never)
    await sleep(300)
    expect(sent).toBeLessThan(size)
    let received = 0
    for await (const piece of reply.body) {
      expect(piece.byteLength).toBeLessThan(300_000)
      received += piece.byteLength
    }
    expect(received).toBe(size)
  })

  test('that nobody reads at all frees the connection after the idle deadline', async () => {
    const { models, server, counts } = await against((socket) => socket.write(chunkedHead + chunk('x')), {
      timeouts: { idleMs: 100 },
    })
    const reply = await models.call(chat({ stream: true }), never)
    await until(() => server.open() === 0)
    expect(counts).toEqual({ 'main aborted': 1 })
    await expect(read(reply)).rejects.toMatchObject({ code: 'client_gone' })
  })

  test('whose reader stops early frees the connection at once', async () => {
    const { models, server, counts } = await against((socket) => socket.write(chunkedHead + chunk('x')))
    const reply = await models.call(chat({ stream: true }), never)
    for await (const piece of reply.body) {
      expect(piece.byteLength).toBe(1)
      break
    }
    await until(() => server.open() === 0)
    expect(counts).toEqual({ 'main aborted': 1 })
  })

  test('that broke off gives what came before, then the error, then nothing', async () => {
    const { models } = await against((socket) => socket.end(chunkedHead + chunk('first')))
    const reply = await models.call(chat({ stream: true }), never)
    const reader = reply.body[Symbol.asyncIterator]()
    await sleep(50)
    expect(Buffer.from((await reader.next()).value as Uint8Array).toString()).toBe('first')
    await expect(reader.next()).rejects.toMatchObject({ code: 'model_unavailable' })
    expect(await reader.next()).toEqual({ done: true, value: undefined })
  })
})
