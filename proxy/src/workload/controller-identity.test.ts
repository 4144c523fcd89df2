import { X509Certificate } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { workloadIdentity, type ControllerIdentityOptions } from './controller-identity.ts'
import type { WorkloadIdentity } from './keeper.ts'
import { authority, SPIFFE_ID, type Authority, type Leaf } from './test/authority.ts'
import { controller, type TestController } from './test/controller.ts'
import { given, type Given } from './test/given.ts'

let tls: Authority
let ca: Authority
beforeAll(async () => {
  tls = await authority('tls')
  ca = await authority('workloads')
})

let folder: string
let directory: string
let server: TestController
let it: Given
let identity: WorkloadIdentity | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-workload-'))
  directory = join(folder, 'run', 'identity')
  writeFileSync(join(folder, 'ca.crt'), tls.pem)
  writeFileSync(join(folder, 'token'), 'token-1\n')
  server = await controller(tls, ca)
  it = given()
})
afterEach(async () => {
  await identity?.close()
  identity = undefined
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (options: Partial<ControllerIdentityOptions> = {}): Promise<WorkloadIdentity> =>
  (identity = await workloadIdentity({
    url: server.url,
    caFile: join(folder, 'ca.crt'),
    tokenFile: join(folder, 'token'),
    directory,
    trustDomain: 'cluster.local',
    retryMinMs: 10,
    retryMaxMs: 20,
    firstWaitMs: 50,
    spreadMs: 1,
    timeoutMs: 10_000,
    ...it,
    ...options,
  }))
const file = (name: string): string => readFileSync(join(directory, name), 'utf8')
const leaf = (): X509Certificate => new X509Certificate(file('tls.crt'))
const failures = (): readonly string[] =>
  it.events.filter(([event]) => event === 'workload_certificate_renewal_failed').map(([, why]) => why)

test('a certificate for a key of our own comes to the folder, as Kubernetes writes volumes', async () => {
  await (await start({ firstWaitMs: 10_000 })).ready()
  expect(identity?.unready()).toBeUndefined()
  expect(leaf().subjectAltName).toBe(`URI:${SPIFFE_ID}`)
  expect(file('ca.crt')).toBe(ca.pem)
  for (const name of ['tls.crt', 'tls.key', 'ca.crt']) {
    expect(readlinkSync(join(directory, name))).toBe(join('..data', name))
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
  }
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(readdirSync(directory).filter((name) => /^\.\.\d/.test(name))).toEqual([
    readlinkSync(join(directory, '..data')),
  ])
  expect(server.requests).toHaveLength(1)
  expect(server.requests[0]).toMatchObject({ token: 'Bearer token-1', type: 'application/pkcs10' })
  expect(server.requests[0]?.csr).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----/)
  expect(it.gauge()).toBe(Date.parse(leaf().validTo) / 1000)
})

test('a real handshake in both directions works with the files', async () => {
  await (await start({ firstWaitMs: 10_000 })).ready()
  const [cert, key, authorities] = [file('tls.crt'), file('tls.key'), file('ca.crt')]
  const peer = Promise.withResolvers<boolean>()
  const listener = createServer({ cert, key, ca: authorities, requestCert: true, rejectUnauthorized: true })
  listener.on('secureConnection', (socket: TLSSocket) => {
    peer.resolve(socket.authorized)
    socket.on('error', () => undefined).end()
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const client = connect({
    port,
    host: '127.0.0.1',
    cert,
    key,
    ca: authorities,
    checkServerIdentity: () => undefined,
  })
  client.on('error', () => undefined)
  expect(await peer.promise).toBe(true)
  client.destroy()
  await new Promise((resolve) => listener.close(resolve))
})

test('it is renewed at about two thirds of its life, with a new key and the token of that moment', async () => {
  // 12 s of life of which 7 are over: from 7.2 s on it is time.
  server.leaf = { from: -7, to: 5 }
  await (await start({ firstWaitMs: 10_000 })).ready()
  const [key, ended] = [file('tls.key'), it.count('workload_certificate_renewed')]
  expect(ended).toBe(1)
  server.leaf = {}
  writeFileSync(join(folder, 'token'), 'token-2')
  await it.until(() => it.count('workload_certificate_renewed') === 2)
  expect(server.requests.at(-1)?.token).toBe('Bearer token-2')
  expect(file('tls.key')).not.toBe(key)
  expect(leaf().checkPrivateKey((await import('node:crypto')).createPrivateKey(file('tls.key')))).toBe(true)
  // The set before stays for readers that are about to open it; older ones go.
  expect(readdirSync(directory).filter((name) => /^\.\.\d/.test(name))).toHaveLength(2)
})

test('a controller whose certificates are past their time already is not asked without end', async () => {
  server.leaf = { from: -3000, to: 30 }
  await (await start({ firstWaitMs: 10_000, retryMinMs: 150 })).ready()
  await it.until(() => server.requests.length >= 3)
  const times = server.requests.length
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(server.requests.length - times).toBeLessThanOrEqual(3)
})

test('when the trusted authorities change, a new certificate is asked for', async () => {
  await (await start({ firstWaitMs: 10_000 })).ready()
  const next = await authority('next')
  server.ca = ca.pem + next.pem
  writeFileSync(join(folder, 'ca.crt'), tls.pem + next.pem)
  await it.until(() => it.count('workload_certificate_renewed') === 2)
  expect(file('ca.crt')).toBe(ca.pem + next.pem)
})

test('a controller that comes late is waited for, and the reason is shown', async () => {
  const { answer } = server
  server.answer = (_csr, response) => void response.writeHead(503).end('{"error":"no leader yet"}')
  await start()
  expect(identity?.unready()).toMatch(/^workload certificate: none yet: /)
  await it.until(() => failures().includes('the controller answered 503: no leader yet'))
  server.answer = answer
  await identity?.ready()
  expect(identity?.unready()).toBeUndefined()
})

test('while the controller is away the old certificate serves until its end, not longer', async () => {
  let skew = 0
  await (await start({ firstWaitMs: 10_000, now: () => Date.now() + skew })).ready()
  server.answer = (_csr, response) => void response.destroy()
  skew = 3_000_000
  writeFileSync(join(folder, 'ca.crt'), `${tls.pem}\n`)
  await it.until(() => failures().length >= 2)
  expect(identity?.unready()).toBeUndefined()
  skew = 3_700_000
  expect(identity?.unready()).toMatch(/^workload certificate: expired, and not renewed: /)
})

test('what an earlier run left is used while the controller is away', async () => {
  await (await start({ firstWaitMs: 10_000 })).ready()
  await identity?.close()
  const before = file('tls.crt')
  await server.close()
  await start()
  await identity?.ready()
  expect(identity?.unready()).toBeUndefined()
  expect(file('tls.crt')).toBe(before)
  server = await controller(tls, ca)
})

test.each<[string, (path: string) => void, Partial<ControllerIdentityOptions>]>([
  ['spoilt', (path) => writeFileSync(join(path, 'tls.key'), 'x'), {}],
  ['half missing', (path) => rmSync(join(path, readlinkSync(join(path, '..data')), 'ca.crt')), {}],
  ['of another trust domain', () => undefined, { trustDomain: 'elsewhere' }],
  ['over', () => undefined, { now: () => Date.now() + 86_400_000 }],
])('what an earlier run left is not used when it is %s', async (_how, spoil, options) => {
  await (await start({ firstWaitMs: 10_000 })).ready()
  await identity?.close()
  spoil(directory)
  server.answer = (_csr, response) => void response.writeHead(500).end()
  await start(options)
  expect(identity?.unready()).toMatch(/none yet/)
  expect(it.count('workload_certificate_on_disk_refused')).toBe(1)
})

const json =
  (value: unknown): TestController['answer'] =>
  (_csr, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))

const later = new Date(Date.now() + 3_600_000).toISOString()

test.each<[string, (csr: string) => Promise<unknown>, RegExp]>([
  [
    'for another key',
    async () => ({ certificate: (await ca.issue()).certificate, ca: ca.pem, notAfter: later }),
    /not for our key/,
  ],
  [
    'of an unknown authority',
    async (csr) => ({ certificate: await (await authority()).sign(csr), ca: ca.pem, notAfter: later }),
    /not signed by an authority/,
  ],
  [
    'with no authority',
    async (csr) => ({ certificate: await ca.sign(csr), ca: '', notAfter: later }),
    /ca holds no certificate/,
  ],
  [
    'with a leaf for an authority',
    async (csr) => ({ certificate: await ca.sign(csr), ca: await ca.sign(csr), notAfter: later }),
    /not signed by an authority/,
  ],
  [
    'with a number for authorities',
    async (csr) => ({ certificate: await ca.sign(csr), ca: 7, notAfter: later }),
    /must answer/,
  ],
  ['without its end', async (csr) => ({ certificate: await ca.sign(csr), ca: ca.pem }), /must answer/],
  [
    'that is text',
    () => Promise.resolve({ certificate: 'x', ca: 'y', notAfter: later }),
    /holds no certificate/,
  ],
  [
    'with hundreds of authorities',
    async (csr) => ({ certificate: await ca.sign(csr), ca: ca.pem.repeat(65), notAfter: later }),
    /more than 64/,
  ],
])('an answer %s is refused', async (_what, make, reason) => {
  server.answer = async (csr, response, request) => json(await make(csr))(csr, response, request)
  await start()
  await it.until(() => failures().length > 0)
  expect(failures()[0]).toMatch(reason)
  expect(readdirSync(folder)).not.toContain('run')
})

test.each<[string, Leaf, RegExp]>([
  ['two URI names', { uris: [SPIFFE_ID, `${SPIFFE_ID}2`] }, /exactly one URI/],
  ['no URI name', { uris: [], ip: '127.0.0.1' }, /exactly one URI/],
  ['another trust domain', { uris: ['spiffe://evil.local/ns/models/sa/llm'] }, /trust domain evil\.local/],
  ['a name of no workload', { uris: ['spiffe://cluster.local'] }, /not the SPIFFE ID/],
  ['a name with dots', { uris: ['spiffe://cluster.local/ns/../sa'] }, /not the SPIFFE ID/],
  ['a URL', { uris: ['https://cluster.local/a'] }, /not the SPIFFE ID/],
  ['the rights of an authority', { isCa: true }, /of an authority/],
  ['an end in the past', { from: -100, to: -50 }, /expired/],
  ['a begin far ahead', { from: 3000, to: 4000 }, /valid from/],
  ['use for servers only', { uses: ['1.3.6.1.5.5.7.3.1'] }, /servers and clients/],
])('a certificate with %s is refused', async (_what, bad, reason) => {
  server.leaf = bad
  await start()
  await it.until(() => failures().length > 0)
  expect(failures()[0]).toMatch(reason)
  expect(identity?.unready()).toMatch(/none yet/)
})

test.each<[string, TestController['answer'], RegExp]>([
  [
    'is forbidden',
    (_csr, response) => void response.writeHead(403).end('{"error":"pod is not injected"}'),
    /403: pod is not injected$/,
  ],
  [
    'repeats the token',
    (_csr, response) => void response.writeHead(401).end('{"error":"bad token-1"}'),
    /answered 401$/,
  ],
  [
    'redirects',
    (_csr, response) => void response.writeHead(307, { location: '/v1/identity' }).end(),
    /answered 307$/,
  ],
  ['is no JSON', (_csr, response) => void response.writeHead(200).end('<html>'), /no well-formed JSON/],
  [
    'says a thing twice',
    (_csr, response) => void response.writeHead(200).end('{"ca":"a","ca":"b"}'),
    /no well-formed JSON/,
  ],
  [
    'is endless',
    (_csr, response) => void response.writeHead(200).end(Buffer.alloc(1024 * 1024)),
    /more than/,
  ],
  [
    'breaks off',
    (_csr, response) =>
      void response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy()),
    /./,
  ],
  ['never comes', () => undefined, /abort|timeout/i],
])('an answer that %s is a failure', async (_what, answer, reason) => {
  server.answer = answer
  await start({ timeoutMs: 300 })
  await it.until(() => failures().length > 0)
  expect(failures()[0]).toMatch(reason)
  expect(JSON.stringify(it.events)).not.toContain('token-1')
})

test('a chain with an authority between is good, in order only', async () => {
  const between = await ca.below()
  const answer =
    (order: (leaf: string, middle: string) => string): TestController['answer'] =>
    async (csr, response, request) => {
      const certificate = order(await between.sign(csr), between.pem)
      await json({ certificate, ca: ca.pem, notAfter: later })(csr, response, request)
    }
  server.answer = answer((one, two) => two + one)
  await start()
  await it.until(() => failures().length > 0)
  server.answer = answer((one, two) => one + two)
  await identity?.ready()
  expect(file('tls.crt').match(/BEGIN/g)).toHaveLength(2)
})

test('a controller that the trusted authorities do not vouch for is not told the token', async () => {
  writeFileSync(join(folder, 'ca.crt'), ca.pem)
  await start()
  await it.until(() => failures().length > 0)
  expect(server.requests).toEqual([])
})

test.each([
  ['no token', (path: string) => rmSync(join(path, 'token')), /ENOENT/],
  ['an empty token', (path: string) => writeFileSync(join(path, 'token'), '\n'), /holds no token/],
  [
    'a token of two lines',
    (path: string) => writeFileSync(join(path, 'token'), 'a\r\nb: c'),
    /holds no token/,
  ],
  ['no authorities', (path: string) => rmSync(join(path, 'ca.crt')), /ENOENT/],
])('with %s nothing is asked, until there is one', async (_what, spoil, reason) => {
  spoil(folder)
  await start()
  await it.until(() => failures().length > 0)
  expect(failures()[0]).toMatch(reason)
  expect(server.requests).toEqual([])
  writeFileSync(join(folder, 'ca.crt'), tls.pem)
  writeFileSync(join(folder, 'token'), 'token-1')
  await identity?.ready()
})

test.each(['http://127.0.0.1', 'controller'])('the URL %s is refused at once', async (url) => {
  await expect(start({ url })).rejects.toThrow('https://')
})

test('closing ends the wait for the first', async () => {
  server.answer = () => undefined
  await start()
  const ready = identity?.ready()
  await identity?.close()
  await expect(ready).rejects.toThrow('closed')
})
