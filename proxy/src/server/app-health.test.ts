import { afterEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noLog } from '../core/log.ts'
import type { ProbeAction } from '../core/pod.ts'
import { adminServer } from './admin.ts'
import { askHealth } from './app-health.ts'
import { hasOpenssl, makeCa, pem } from './test/certificates.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

const listen = async (server: Server): Promise<number> => {
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const http = (port: number, path = '/health'): ProbeAction => ({
  kind: 'http',
  scheme: 'HTTP',
  port,
  path,
  headers: [{ name: 'x-probe', value: 'yes' }],
})
const health = (action: ProbeAction, timeoutSeconds = 1) =>
  askHealth({ path: '/app-health/model/readiness', action, timeoutSeconds })

const answering = (listener: RequestListener) => listen(createServer(listener))

test('HTTP: 200 to 399 is well, with the headers and path of the probe', async () => {
  const seen: unknown[] = []
  const port = await answering(({ url, headers }, response) => {
    seen.push([url, headers['x-probe']])
    response.writeHead(Number(url?.slice(1))).end()
  })
  for (const status of [200, 204, 302, 399]) {
    expect(await health(http(port, `/${status}`))).toEqual({ ok: true })
  }
  for (const status of [400, 404, 500]) {
    expect(await health(http(port, `/${status}`))).toEqual({ ok: false, why: `status ${status}` })
  }
  expect(seen[0]).toEqual(['/200', 'yes'])
})

test('HTTP: nobody there, no answer in time, an answer without an end', async () => {
  expect(await health(http(1))).toEqual({ ok: false, why: 'ECONNREFUSED' })
  const silent = await answering(() => undefined)
  expect(await health(http(silent))).toEqual({ ok: false, why: 'no answer within 1 s' })
  const endless = await answering((_request, response) => {
    response.writeHead(200).write('so far')
  })
  expect(await health(http(endless))).toEqual({ ok: true })
})

const tlsTest = hasOpenssl ? test : test.skip
tlsTest('HTTPS: the certificate is not verified, as the kubelet does not (needs openssl)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-health-'))
  makeCa(folder, 'self')
  const [cert, key] = [pem(folder, 'self.pem'), pem(folder, 'self.key')]
  rmSync(folder, { recursive: true })
  const port = await listen(createHttps({ cert, key }, (_request, response) => void response.end()))
  expect(await health({ kind: 'http', scheme: 'HTTPS', port, path: '/', headers: [] })).toEqual({ ok: true })
})

test('TCP: connected is well', async () => {
  const port = await listen(createTcp((socket) => socket.destroy()))
  expect(await health({ kind: 'tcp', port })).toEqual({ ok: true })
  expect(await health({ kind: 'tcp', port: 1 })).toEqual({ ok: false, why: 'ECONNREFUSED' })
})

const grpcServer = (answer: (stream: ServerHttp2Stream, question: Buffer) => void) => {
  const server = createHttp2()
  server.on('stream', (stream) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => answer(stream, Buffer.concat(chunks)))
  })
  return listen(server)
}
const respond = (stream: ServerHttp2Stream, status: number): void => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': '0' })
  })
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]))
}

test('gRPC: SERVING is well, by the name of the service; anything else is not', async () => {
  let asked: Buffer = Buffer.alloc(0)
  const port = await grpcServer((stream, question) => {
    asked = question
    respond(stream, question.length > 5 ? 1 : 2)
  })
  expect(await health({ kind: 'grpc', port, service: 'chat' })).toEqual({ ok: true })
  expect(asked).toEqual(Buffer.from([0, 0, 0, 0, 6, 0x0a, 4, ...Buffer.from('chat')]))
  expect(await health({ kind: 'grpc', port, service: '' })).toEqual({ ok: false, why: 'not SERVING' })
})

test('gRPC: an unknown service, no HTTP/2, and silence are not well', async () => {
  const unknown = await grpcServer((stream) => {
    stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true })
  })
  expect(await health({ kind: 'grpc', port: unknown, service: 'x' })).toEqual({
    ok: false,
    why: 'gRPC status 5',
  })
  const plain = await answering((_request, response) => void response.end('no'))
  expect(await health({ kind: 'grpc', port: plain, service: '' })).toMatchObject({ ok: false })
  const silent = await listen(createTcp(() => undefined))
  expect(await health({ kind: 'grpc', port: silent, service: '' })).toEqual({
    ok: false,
    why: 'no answer within 1 s',
  })
})

test('the admin port makes exactly the probes that it was given', async () => {
  const port = await answering((_request, response) => void response.end())
  const admin = await adminServer({
    host: '127.0.0.1',
    port: 0,
    ready: () => [],
    metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
    coverage: () => ({}),
    config: () => ({}),
    drain: () => undefined,
    drainFromHere: true,
    probes: [
      { path: '/app-health/model/liveness', action: http(port), timeoutSeconds: 1 },
      { path: '/app-health/model/startup', action: http(1), timeoutSeconds: 1 },
    ],
    log: noLog,
  })
  const status = async (path: string) =>
    (await fetch(`http://127.0.0.1:${admin.address.port}/app-health/${path}`)).status
  expect(await status('model/liveness')).toBe(200)
  expect(await status('model/startup')).toBe(503)
  expect(await status('model/readiness')).toBe(404)
  await admin.close()
})
