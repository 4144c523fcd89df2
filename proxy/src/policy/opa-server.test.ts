import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from '@jest/globals'
import { noLog } from '../core/log.ts'
import type { PolicyEngine } from '../core/policy.ts'
import { opaServer, type OpaServerOptions } from './opa-server.ts'
import { asked } from './test/cases.ts'

const denial = { allow: false, reasons: ['role_missing'] }

let servers: Server[] = []
let engines: PolicyEngine[] = []
afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.close()))
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  servers = []
  engines = []
})

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

const serve = async (handler: Handler, port = 0): Promise<{ server: Server; port: number; url: string }> => {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => handler(request, response, Buffer.concat(pieces).toString()))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  servers.push(server)
  const { port: bound } = server.address() as AddressInfo
  return { server, port: bound, url: `http://127.0.0.1:${bound}` }
}

const answers =
  (status: number, body: unknown): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

const ask = (options: Omit<OpaServerOptions, 'log'>): PolicyEngine => {
  const engine = opaServer({ deadlineMs: 10_000, ...options, log: noLog })
  engines.push(engine)
  return engine
}

const refused = (code: string): unknown => expect.objectContaining({ name: 'Refusal', code, status: 503 })

test('asks for the document with the input, and reads answer and revision', async () => {
  const seen: string[] = []
  const { url } = await serve((request, response, body) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''} ${body}`)
    answers(200, {
      result: denial,
      provenance: { bundles: { b: { revision: 'r2' }, a: { revision: 'r1' } } },
    })(request, response, body)
  })
  const engine = ask({ url: `${url}/opa/` })
  expect(await engine.decide(asked())).toEqual(denial)
  expect(engine.revision()).toBe('r1,r2')
  expect(seen).toContain(
    `POST /opa/v1/data/postern/decision?provenance=true&strict-builtin-errors=true {"input":${JSON.stringify(asked())}}`,
  )
})

test.each([
  ['nothing', {}],
  ['undefined', { result: null }],
  ['a plain yes', { result: true }],
  ['an allow without actions', { result: { allow: true } }],
  ['an unknown key', { result: { ...denial, extra: 1 } }],
  ['a list', [denial]],
  ['half a document', '{"result":{"allow":tr'],
  ['too much', JSON.stringify({ result: denial, filler: 'x'.repeat(2_000_000) })],
])('a server that answers %s is a failed guard', async (_, body) => {
  const { url } = await serve(answers(200, body))
  await expect(ask({ url }).decide(asked())).rejects.toEqual(refused('guard_failed'))
})

test.each([
  [500, 'guard_failed'],
  [400, 'guard_failed'],
  [401, 'guard_unavailable'],
  [404, 'guard_unavailable'],
  [429, 'guard_unavailable'],
  [503, 'guard_unavailable'],
  [302, 'guard_unavailable'],
  [204, 'guard_unavailable'],
])('status %d is %s, whatever the body says', async (status, code) => {
  const { url } = await serve(answers(status, { result: denial }))
  await expect(ask({ url }).decide(asked())).rejects.toEqual(refused(code))
})

test('a server that is silent, or stops within its answer, is given up at the deadline', async () => {
  const { url } = await serve((request, response) => {
    if (request.url?.includes('limits')) response.writeHead(200).write('{"result":')
  })
  const engine = ask({ url, deadlineMs: 600 })
  const begin = performance.now()
  await expect(engine.decide(asked())).rejects.toEqual(refused('guard_unavailable'))
  await expect(engine.limits({ caller: asked().caller, model: '' })).rejects.toEqual(
    refused('guard_unavailable'),
  )
  expect(performance.now() - begin).toBeLessThan(15_000)
})

test('no server is an unavailable guard', async () => {
  const { server, url } = await serve(answers(200, {}))
  await new Promise((resolve) => server.close(resolve))
  await expect(ask({ url }).decide(asked())).rejects.toEqual(refused('guard_unavailable'))
})

test('a kept connection that the server closed meanwhile is not the caller’s loss', async () => {
  let cut = true
  const { url } = await serve((request, response, body) => {
    if (body.includes('"ann"') && cut) {
      cut = false
      request.socket.destroy()
    } else answers(200, { result: denial })(request, response, body)
  })
  expect(await ask({ url }).decide(asked())).toEqual(denial)
})

test('the bearer token is sent, and a token file without a token is an unavailable guard', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-token-'))
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'abc.def\n')
  const { url } = await serve((request, response, body) => {
    answers(request.headers.authorization === 'Bearer abc.def' ? 200 : 401, { result: denial })(
      request,
      response,
      body,
    )
  })
  expect(await ask({ url, tokenFile }).decide(asked())).toEqual(denial)
  writeFileSync(tokenFile, 'two words')
  await expect(ask({ url, tokenFile }).decide(asked())).rejects.toEqual(refused('guard_unavailable'))
  rmSync(tokenFile)
  await expect(ask({ url, tokenFile }).decide(asked())).rejects.toEqual(refused('guard_unavailable'))
  rmSync(folder, { recursive: true })
})

test('not ready before the first answer and after three seconds without one, and ready again by itself', async () => {
  const first = await serve(answers(200, { result: denial }))
  const engine = ask({ url: first.url })
  expect(engine.unready()).toBe('policy server has not answered yet')
  await engine.decide(asked())
  expect(engine.unready()).toBeUndefined()
  first.server.closeAllConnections()
  await new Promise((resolve) => first.server.close(resolve))
  await expect(engine.decide(asked())).rejects.toEqual(refused('guard_unavailable'))
  while (engine.unready() === undefined) await sleep(100)
  expect(engine.unready()).toBe('policy server does not answer')
  await serve(answers(200, { result: denial }), first.port)
  while (engine.unready() !== undefined) await sleep(100)
  expect(await engine.decide(asked())).toEqual(denial)
})

test('a caller whose requests make the policy fail does not take the guard out of service', async () => {
  const { url } = await serve((request, response, body) => {
    answers(body.includes('"ann"') ? 500 : 200, { result: denial })(request, response, body)
  })
  const engine = ask({ url })
  const until = performance.now() + 4500
  while (performance.now() < until) {
    await expect(engine.decide(asked())).rejects.toEqual(refused('guard_failed'))
    await sleep(50)
  }
  expect(engine.unready()).toBeUndefined()
})

test.each(['ftp://a', 'localhost:8181', 'http://user:pass@a', 'http://a/?q=1', ''])(
  'the URL %p is refused at the start',
  (url) => {
    expect(() => opaServer({ url, log: noLog })).toThrow(/policy server URL must be/)
  },
)
