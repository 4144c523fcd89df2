import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { Refusal } from '../core/refusal.ts'
import type { ModelPoolOptions } from './options.ts'
import { chat, codeOf, never, pooled, read, upstream } from './test/models.ts'
import { chunk, chunkedHead, json, type Answer } from './test/rawServer.ts'
import { against, closeAll, deadUrl, named, serve, several, until } from './test/servers.ts'

afterEach(closeAll)

describe('a client that leaves', () => {
  test.each([
    ['before the answer', ''],
    ['in mid-answer', chunkedHead + chunk('x')],
  ])('%s cancels the call to the model server', async (_, bytes) => {
    const { models, server, counts } = await against((socket) => {
      if (bytes !== '') socket.write(bytes)
    })
    const gone = new AbortController()
    const code = codeOf(models.call(chat({ stream: true }), gone.signal))
    await until(() => server.requests.length === 1)
    await sleep(30)
    expect(server.open()).toBe(1)
    gone.abort()
    expect(await code).toBe('client_gone')
    await until(() => server.open() === 0)
    expect(counts).toEqual({ 'main aborted': 1 })
  })

  test('before the call sends nothing', async () => {
    const { models, server } = await against((socket) => socket.write(json()))
    expect(await codeOf(models.call(chat(), AbortSignal.abort()))).toBe('client_gone')
    expect(server.connections()).toBe(0)
  })

  test('while it waits for a connection sends nothing, and the connection serves the next', async () => {
    const held: (() => void)[] = []
    const { models, server } = await against((socket) => held.push(() => socket.write(json())), {
      pool: { connections: 1, maxWaiting: 5 },
    })
    const first = codeOf(models.call(chat(), never))
    await until(() => server.requests.length === 1)
    const gone = new AbortController()
    const second = codeOf(models.call(chat(), gone.signal))
    const third = codeOf(models.call(chat(), never))
    await sleep(20)
    gone.abort(new Refusal('request_timeout'))
    expect(await second).toBe('request_timeout')
    held.shift()?.()
    expect(await first).toMatch(/^answered/)
    await until(() => held.length > 0)
    held.shift()?.()
    expect(await third).toMatch(/^answered/)
    expect(server.requests).toHaveLength(2)
  })

  test('after the answer changes nothing', async () => {
    const { models, server } = await against((socket) => socket.write(json()))
    const gone = new AbortController()
    expect(await codeOf(models.call(chat(), gone.signal))).toMatch(/^answered/)
    gone.abort()
    await sleep(20)
    expect(server.open()).toBe(1)
  })
})

describe('connections', () => {
  test('are kept and used again', async () => {
    const { models, server } = await against((socket) => socket.write(json()))
    for (let at = 0; at < 20; at += 1) expect(await codeOf(models.call(chat(), never))).toMatch(/^answered/)
    expect(server.connections()).toBeLessThanOrEqual(2)
  })

  test('more calls than may wait fail at once, and count against nobody', async () => {
    const { models, counts } = await against(() => undefined, {
      pool: { connections: 2, maxWaiting: 1 },
      timeouts: { headersMs: 1500 },
    })
    const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(models.call(chat(), never))))
    expect(codes.filter((code) => code === 'model_timeout')).toHaveLength(2)
    expect(codes.filter((code) => code === 'model_unavailable')).toHaveLength(4)
    expect(counts).toEqual({ 'main timeout': 2, 'main saturated': 4 })
  })

  test('that the server closed meanwhile are replaced without a word', async () => {
    const oneClosed = async () => {
      const { models, server, counts } = await against((socket, _, number) => {
        if (number === 2) socket.resetAndDestroy()
        else socket.write(json(`{"number":${number}}`))
      })
      expect(await codeOf(models.call(chat(), never))).toBe('answered: {"number":1}')
      await sleep(20)
      const begun = performance.now()
      const second = await codeOf(models.call(chat(), never))
      return { second, inTime: performance.now() - begun < 200, connections: server.connections(), counts }
    }
    // A machine that stands still makes a reset look like one of a model that had begun.
    let seen = await oneClosed()
    for (let tries = 0; !seen.inTime && tries < 20; tries += 1) seen = await oneClosed()
    expect(seen).toMatchObject({
      second: 'answered: {"number":3}',
      connections: 2,
      counts: { 'main ok': 2, 'main reset': 1 },
    })
  })

  test('a request that the model may have begun is never sent twice', async () => {
    const { models, server } = await against((socket, _, number) => {
      if (number === 1) socket.write(json())
      else setTimeout(() => socket.resetAndDestroy(), 400)
    })
    expect(await codeOf(models.call(chat(), never))).toMatch(/^answered/)
    await sleep(20)
    expect(await codeOf(models.call(chat(), never))).toBe('model_unavailable')
    expect(server.connections()).toBe(1)
    expect(server.requests).toHaveLength(2)
  })

  test('closing lets running calls finish and takes no new ones', async () => {
    const { models, server } = await against((socket) => void setTimeout(() => socket.write(json()), 100))
    const running = codeOf(models.call(chat(), never))
    await until(() => server.requests.length === 1)
    const closed = models.close()
    expect(await codeOf(models.call(chat(), never))).toBe('model_unavailable')
    expect(await running).toMatch(/^answered/)
    await closed
    await models.close()
    await until(() => server.open() === 0)
  })
})

describe('several upstreams', () => {
  const shares = async (weights: readonly number[], calls: number): Promise<number[]> => {
    const upstreams = []
    for (const at of weights.keys())
      upstreams.push(upstream((await serve(named(`u${at}`))).url, { name: `u${at}` }))
    const targets = weights.map((weight, at) => ({ upstream: `u${at}`, weight }))
    const { models, counts } = several({ upstreams, models: [{ name: 'small', targets }] })
    for (let at = 0; at < calls; at += 1) await read(await models.call(chat(), never))
    return weights.map((_, at) => counts[`u${at} ok`] ?? 0)
  }

  test('share the calls by weight', async () => {
    expect(await shares([5, 3, 2], 100)).toEqual([50, 30, 20])
    expect(await shares([1, 0], 10)).toEqual([10, 0])
  })

  test('a target that cannot be reached is left out, and its circuit opens', async () => {
    const good = await serve(named('good'))
    const { models, counts, healthy } = several({
      upstreams: [upstream(await deadUrl(), { name: 'dead' }), upstream(good.url, { name: 'good' })],
      breaker: { failures: 3 },
    })
    for (let at = 0; at < 30; at += 1)
      expect(await codeOf(models.call(chat(), never))).toBe('answered: {"name":"good"}')
    expect(counts).toEqual({ 'dead connect_failed': 3, 'good ok': 30 })
    expect(healthy).toEqual({ dead: 0, good: 1 })
    expect(models.unready()).toBeUndefined()
  })

  test('fallbacks are tried in order, and only when no target can be reached', async () => {
    const spare = await serve(named('spare'))
    const { models, counts } = several({
      upstreams: [
        upstream(await deadUrl(), { name: 'a' }),
        upstream(await deadUrl(), { name: 'b' }),
        upstream(spare.url, { name: 'c' }),
      ],
      models: [
        {
          name: 'small',
          targets: [{ upstream: 'a' }],
          fallback: [{ upstream: 'b' }, { upstream: 'c', model: 'smaller' }],
        },
      ],
    })
    expect(await codeOf(models.call(chat(), never))).toBe('answered: {"name":"spare"}')
    expect(counts).toEqual({ 'a connect_failed': 1, 'b connect_failed': 1, 'c ok': 1 })
    expect(spare.requests[0]).toContain('{"model":"smaller"}')
  })

  const postponed: Answer = (socket) =>
    socket.write(
      'HTTP/1.1 503 Busy\r\nretry-after: 3\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
    )

  test.each([
    { statuses: [503] as const, status: 200, count: { 'a error': 1, 'b ok': 1 } },
    { statuses: [429] as const, status: 503, count: { 'a error': 1 } },
  ])('an overloaded target is left for the next only where configured: %j', async (it) => {
    const [a, b] = [await serve(postponed), await serve(named('b'))]
    const { models, counts } = several({
      upstreams: [upstream(a.url, { name: 'a' }), upstream(b.url, { name: 'b' })],
      retry: { statuses: it.statuses },
    })
    const reply = await models.call(chat(), never)
    await read(reply)
    expect(reply.status).toBe(it.status)
    expect(counts).toEqual(it.count)
  })

  test('when all are overloaded the last says so', async () => {
    const [a, b] = [await serve(postponed), await serve(postponed)]
    const { models } = several({
      upstreams: [upstream(a.url, { name: 'a' }), upstream(b.url, { name: 'b' })],
      retry: { statuses: [503] },
    })
    const reply = await models.call(chat(), never)
    expect(reply.status).toBe(503)
    expect(reply.headers['retry-after']).toBe('3')
    await read(reply)
  })

  test('attempts are bounded, and so are retries over many calls', async () => {
    const upstreams = []
    for (const name of ['a', 'b', 'c', 'd']) upstreams.push(upstream(await deadUrl(), { name }))
    const { models, counts } = several({
      upstreams,
      breaker: { failures: 1000, minimumCalls: 1000 },
      retry: { attempts: 3, budget: 0.1 },
    })
    const attempts = (): number => Object.values(counts).reduce((sum, each) => sum + each, 0)
    expect(await codeOf(models.call(chat(), never))).toBe('model_unavailable')
    expect(attempts()).toBe(3)
    for (let at = 0; at < 99; at += 1) await codeOf(models.call(chat(), never))
    expect(attempts()).toBeLessThanOrEqual(100 + 10 + 10)
  })
})

describe('the circuit', () => {
  test('opens after failures in a row, tries once after a while, and closes on success', async () => {
    let broken = true
    const { models, server, healthy } = await (async () => {
      const server = await serve((socket) => {
        if (broken) socket.destroy()
        else socket.write(json())
      })
      return {
        server,
        ...several({
          upstreams: [upstream(server.url)],
          breaker: { failures: 3, openMs: 1000, maxOpenMs: 1000 },
        }),
      }
    })()
    for (let at = 0; at < 3; at += 1)
      expect(await codeOf(models.call(chat(), never))).toBe('model_unavailable')
    expect(healthy).toEqual({ main: 0 })
    expect(models.unready()).toBe('every model server is failing')
    const refusal = await models.call(chat(), never).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'model_unavailable', headers: { 'retry-after': '1' } })
    expect(server.requests).toHaveLength(3)
    await sleep(1050)
    expect(models.unready()).toBeUndefined()
    await Promise.all(Array.from({ length: 5 }, () => codeOf(models.call(chat(), never))))
    expect(server.requests).toHaveLength(4)
    broken = false
    await sleep(1050)
    expect(await codeOf(models.call(chat(), never))).toMatch(/^answered/)
    expect(await codeOf(models.call(chat(), never))).toMatch(/^answered/)
    expect(healthy).toEqual({ main: 1 })
  })

  test.each([400, 401, 404, 429, 500])(
    'errors that a caller can cause do not open it: %d',
    async (status) => {
      const { models } = await against((socket) =>
        socket.write(`HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`),
      )
      for (let at = 0; at < 30; at += 1) await read(await models.call(chat(), never))
      expect(models.unready()).toBeUndefined()
    },
  )

  test('clients that leave do not open it, and do not keep it half open', async () => {
    const server = await serve((socket, _, number) => {
      if (number <= 2) socket.destroy()
    })
    const { models } = several({
      upstreams: [upstream(server.url)],
      breaker: { failures: 2, openMs: 50, maxOpenMs: 50 },
    })
    for (let at = 0; at < 2; at += 1) await codeOf(models.call(chat(), never))
    for (let at = 0; at < 3; at += 1) {
      await sleep(60)
      const gone = new AbortController()
      const code = codeOf(models.call(chat(), gone.signal))
      await until(() => server.requests.length === 3 + at)
      gone.abort()
      expect(await code).toBe('client_gone')
    }
    expect(server.requests).toHaveLength(5)
  })
})

test.each<[string, Partial<ModelPoolOptions>]>([
  ['name one model server', { upstreams: [] }],
  ['name it once', { upstreams: [upstream('http://a'), upstream('http://b')] }],
  ['use http: or https:', { upstreams: [upstream('ftp://a')] }],
  ['use credential', { upstreams: [upstream('http://user:pass@a')] }],
  ['needs an https: address', { upstreams: [upstream('http://a', { tls: {} })] }],
  ['needs tls.ca', { upstreams: [upstream('https://a', { tls: { spiffeIds: ['spiffe://a/b'] } })] }],
  ['together', { upstreams: [upstream('https://a', { tls: { cert: 'x' } })] }],
  ['there is no upstream other', { models: [{ name: 'm', targets: [{ upstream: 'other' }] }] }],
  ['one * at most', { models: [{ name: '*m*', targets: [{ upstream: 'main' }] }] }],
  ['weight is 0 or more', { models: [{ name: 'm', targets: [{ upstream: 'main', weight: -1 }] }] }],
  ['give it a target', { models: [{ name: 'm', targets: [{ upstream: 'main', weight: 0 }] }] }],
])('a wrong configuration says: %s', (message, options) => {
  expect(() => pooled({ upstreams: [upstream('http://a')], ...options })).toThrow(message)
})
