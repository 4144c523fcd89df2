import { createServer, type Server, type ServerOptions } from 'node:https'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { TlsOptions } from './options.ts'
import { authority, hasOpenssl, type Authority } from './test/certificates.ts'
import { chat, codeOf, never, single } from './test/models.ts'

const tls = hasOpenssl() ? describe : describe.skip

tls('TLS to the model server (skipped where openssl is missing)', () => {
  let ours: Authority
  let foreign: Authority
  const servers: Server[] = []
  const closing: (() => Promise<unknown>)[] = []
  beforeAll(() => {
    ours = authority()
    foreign = authority()
  })
  afterAll(() => {
    ours.remove()
    foreign.remove()
  })
  afterEach(async () => {
    while (closing.length > 0) await closing.pop()?.()
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    }
  })

  const listen = (options: ServerOptions): Promise<{ url: string; server: Server }> =>
    new Promise((resolve) => {
      const server = createServer(options, (request, response) => {
        const authorized = 'authorized' in request.socket && request.socket.authorized === true
        response.setHeader('content-type', 'application/json')
        request.resume().on('end', () => response.end(JSON.stringify({ authorized })))
      })
      server.on('tlsClientError', () => undefined)
      servers.push(server)
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve({
          server,
          url: `https://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`,
        })
      })
    })

  const pool = (url: string, options?: TlsOptions) => {
    const it = single(url, options === undefined ? {} : { tls: options })
    closing.push(() => it.models.close())
    return it
  }

  const answer = (url: string, options?: TlsOptions): Promise<string> =>
    codeOf(pool(url, options).models.call(chat(), never))

  test('a server of our authority with the right name is trusted', async () => {
    const { url } = await listen(ours.issue('IP:127.0.0.1'))
    expect(await answer(url, { ca: ours.ca })).toBe('answered: {"authorized":false}')
  })

  test('the name may be another than the address', async () => {
    const { url } = await listen(ours.issue('DNS:model.internal'))
    expect(await answer(url, { ca: ours.ca, serverName: 'model.internal' })).toMatch(/^answered/)
    expect(await answer(url, { ca: ours.ca, serverName: 'other.internal' })).toBe('model_unavailable')
    expect(await answer(url, { ca: ours.ca })).toBe('model_unavailable')
  })

  test('a foreign authority is refused', async () => {
    const { url } = await listen(foreign.issue('IP:127.0.0.1'))
    expect(await answer(url, { ca: ours.ca })).toBe('model_unavailable')
    expect(await answer(url)).toBe('model_unavailable')
  })

  test('the guard shows its certificate where the server asks for one', async () => {
    const { url } = await listen({
      ...ours.issue('IP:127.0.0.1'),
      ca: ours.ca,
      requestCert: true,
      rejectUnauthorized: true,
    })
    expect(await answer(url, { ca: ours.ca, ...ours.issue('URI:spiffe://td/guard') })).toBe(
      'answered: {"authorized":true}',
    )
    expect(await answer(url, { ca: ours.ca })).toBe('model_unavailable')
    expect(await answer(url, { ca: ours.ca, ...foreign.issue('URI:spiffe://td/guard') })).toBe(
      'model_unavailable',
    )
  })

  test.each([
    ['URI:spiffe://td/ns/llm/sa/model', true],
    ['URI:spiffe://td/ns/llm/sa/model,DNS:other', true],
    ['URI:spiffe://td/ns/llm/sa/other', false],
    ['URI:spiffe://td/ns/llm/sa/model2', false],
    ['URI:spiffe://td/ns/llm/sa/model,URI:spiffe://td/ns/llm/sa/other', false],
    ['IP:127.0.0.1', false],
    ['DNS:spiffe.td', false],
  ])('of a SPIFFE server with the names %s only one allowed URI name counts', async (names, trusted) => {
    const { url } = await listen(ours.issue(names))
    const options = { ca: ours.ca, spiffeIds: ['spiffe://td/ns/llm/sa/model'] }
    expect(await answer(url, options)).toMatch(trusted ? /^answered/ : /^model_unavailable$/)
  })

  test('the right SPIFFE ID from a foreign authority is refused', async () => {
    const { url } = await listen(foreign.issue('URI:spiffe://td/a'))
    expect(await answer(url, { ca: ours.ca, spiffeIds: ['spiffe://td/a'] })).toBe('model_unavailable')
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'with %s a server that failed the check fails it again, session or not',
    async (version) => {
      const { url } = await listen({
        ...ours.issue('URI:spiffe://td/wrong'),
        minVersion: version,
        maxVersion: version,
      })
      const { models } = pool(url, { ca: ours.ca, spiffeIds: ['spiffe://td/right'] })
      for (let at = 0; at < 4; at += 1)
        expect(await codeOf(models.call(chat(), never))).toBe('model_unavailable')
    },
  )

  test('a server without encryption gets nothing', async () => {
    const { url } = await listen(ours.issue('IP:127.0.0.1'))
    const { models } = single(url.replace('https:', 'http:'))
    closing.push(() => models.close())
    expect(await codeOf(models.call(chat(), never))).toMatch(/^model_(unavailable|answer_invalid)$/)
  })

  test('a new certificate comes with a new pool, while the old one finishes its calls', async () => {
    const identity = ours.issue('IP:127.0.0.1')
    const { url } = await listen({ ...identity, ca: ours.ca, requestCert: true, rejectUnauthorized: true })
    const old = single(url, { tls: { ca: ours.ca, ...ours.issue('URI:spiffe://td/old') } })
    const running = codeOf(old.models.call(chat(), never))
    const next = pool(url, { ca: ours.ca, ...ours.issue('URI:spiffe://td/new') })
    const closed = old.models.close()
    expect(await codeOf(next.models.call(chat(), never))).toMatch(/^answered/)
    expect(await running).toMatch(/^answered/)
    await closed
  })
})
