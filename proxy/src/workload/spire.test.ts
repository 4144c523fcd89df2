import { X509Certificate } from 'node:crypto'
import type { ServerHttp2Stream } from 'node:http2'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectSocket, createServer as createSocketServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { WorkloadIdentity } from './keeper.ts'
import { lengthFields } from './protobuf.ts'
import { spireIdentity, type SpireIdentityOptions } from './spire.ts'
import { readSvids } from './svid-response.ts'
import { authority, SPIFFE_ID, type Authority, type Leaf } from './test/authority.ts'
import { given, type Given } from './test/given.ts'
import {
  deny,
  end,
  field,
  framed,
  open,
  send,
  svidResponse,
  varint,
  workloadApi,
  type TestSvid,
  type TestWorkloadApi,
} from './test/workload-api.ts'

let ca: Authority
beforeAll(async () => {
  ca = await authority('spire')
})

let folder: string
let directory: string
let socket: string
let agent: TestWorkloadApi
let it: Given
let identity: WorkloadIdentity | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-spire-'))
  directory = join(folder, 'identity')
  socket = join(folder, 'agent.sock')
  agent = await workloadApi(socket)
  it = given()
})
afterEach(async () => {
  await identity?.close()
  identity = undefined
  await agent.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (options: Partial<SpireIdentityOptions> = {}): Promise<WorkloadIdentity> =>
  (identity = await spireIdentity({
    socket: `unix://${socket}`,
    directory,
    trustDomain: 'cluster.local',
    retryMinMs: 10,
    retryMaxMs: 20,
    firstWaitMs: 50,
    timeoutMs: 10_000,
    ...it,
    ...options,
  }))
const svid = async (leaf: Leaf = {}, more: Partial<TestSvid> = {}): Promise<TestSvid> => {
  const { der, keyDer } = await ca.issue(leaf)
  return { spiffeId: leaf.uris?.[0] ?? SPIFFE_ID, svid: der, key: keyDer, bundle: ca.der, ...more }
}
/** Sends one state and leaves the stream open. */
const states =
  (...svids: readonly TestSvid[]): TestWorkloadApi['onCall'] =>
  (stream) => {
    open(stream)
    send(stream, svidResponse(...svids))
  }
const file = (name: string): string => readFileSync(join(directory, name), 'utf8')
const name = (): string | undefined => new X509Certificate(file('tls.crt')).subjectAltName
const failures = (): readonly string[] =>
  it.events.filter(([event]) => event === 'workload_certificate_renewal_failed').map(([, why]) => why)

test('the identity of the first message comes to the folder, and each later one takes its place', async () => {
  let stream: ServerHttp2Stream | undefined
  const next = await authority('next')
  agent.onCall = (call) => {
    stream = call
    states(one)(call, {})
  }
  const one = await svid()
  await (await start()).ready()
  expect(name()).toBe(`URI:${SPIFFE_ID}`)
  expect(identity?.unready()).toBeUndefined()
  expect(agent.calls[0]).toMatchObject({
    ':method': 'POST',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const before = file('tls.key')
  send(stream!, svidResponse(await svid({}, { bundle: Buffer.concat([ca.der, next.der]) })))
  await it.until(() => it.count('workload_certificate_renewed') === 2)
  expect(file('tls.key')).not.toBe(before)
  expect(file('ca.crt').match(/BEGIN/g)).toHaveLength(2)
  expect(agent.calls).toHaveLength(1)
})

test('a message may come in any pieces, and several at once', async () => {
  const [one, two] = [await svid(), await svid()]
  agent.onCall = (stream) => {
    open(stream)
    const bytes = Buffer.concat([framed(svidResponse(one)), framed(svidResponse(two))])
    const cuts = [1, 4, 6, 300, bytes.length - 3, bytes.length]
    let from = 0
    const next = (): void => {
      const to = cuts.shift()
      if (to === undefined) return
      stream.write(bytes.subarray(from, to))
      from = to
      setTimeout(next, 5)
    }
    next()
  }
  await start()
  await it.until(() => it.count('workload_certificate_renewed') === 2)
  expect(failures()).toEqual([])
})

test('of several identities the first is taken, or the one asked for', async () => {
  const other = 'spiffe://cluster.local/ns/models/sa/other'
  agent.onCall = states(await svid(), await svid({ uris: [other] }, { hint: 'internal' }))
  await (await start()).ready()
  expect(name()).toBe(`URI:${SPIFFE_ID}`)
  for (const options of [{ hint: 'internal' }, { spiffeId: other }]) {
    await identity?.close()
    rmSync(directory, { recursive: true })
    await (await start(options)).ready()
    expect(name()).toBe(`URI:${other}`)
  }
  await identity?.close()
  rmSync(directory, { recursive: true })
  await start({ hint: 'external' })
  await it.until(() => failures().includes('none of 2 identities is the one asked for'))
})

test('an agent that ends the stream is asked again, and the same state is no news', async () => {
  const state = await svid()
  agent.onCall = (stream) => {
    states(state)(stream, {})
    end(stream, 0)
  }
  await (await start()).ready()
  await it.until(() => agent.calls.length >= 3)
  expect(it.count('workload_certificate_renewed')).toBe(1)
  expect(failures()[0]).toBe('the call ended with gRPC status 0')
})

test('an agent that comes late is waited for', async () => {
  await agent.close()
  await start()
  expect(identity?.unready()).toMatch(/^workload certificate: none yet: .*ENOENT/)
  agent = await workloadApi(socket)
  agent.onCall = states(await svid())
  await identity?.ready()
})

test('an agent that denies for a while does not end what is valid, one that keeps denying does', async () => {
  const state = await svid()
  agent.onCall = (stream) => {
    states(state)(stream, {})
    end(stream, 14)
  }
  await (await start({ withdrawnAfterMs: 3000 })).ready()
  agent.onCall = deny
  const before = agent.calls.length
  await it.until(() => agent.calls.length > before + 2)
  expect(identity?.unready()).toBeUndefined()
  await it.until(() => identity?.unready() !== undefined)
  expect(identity?.unready()).toBe('workload certificate: the agent says that this workload has no identity')
  agent.onCall = states(state)
  await it.until(() => identity?.unready() === undefined)
})

test('a state without our identity takes it back like a denial', async () => {
  const state = await svid()
  agent.onCall = (stream) => {
    states(state)(stream, {})
    end(stream, 0)
  }
  await (await start({ withdrawnAfterMs: 0 })).ready()
  agent.onCall = states()
  await it.until(() => identity?.unready() !== undefined)
})

test('what an earlier run left is used while the agent is away', async () => {
  agent.onCall = states(await svid())
  await (await start()).ready()
  await identity?.close()
  await agent.close()
  await (await start()).ready()
  expect(identity?.unready()).toBeUndefined()
  agent = await workloadApi(socket)
})

const foreign = async (): Promise<TestSvid> => svid({}, { bundle: (await authority('foreign')).der })

test.each<[string, () => Promise<TestWorkloadApi['onCall']>, RegExp]>([
  ['denies', () => Promise.resolve(deny), /gRPC status 7/],
  ['denies in trailers', () => Promise.resolve((stream) => end(stream, 7)), /gRPC status 7/],
  ['signs with an unknown authority', async () => states(await foreign()), /not signed by an authority/],
  [
    'gives the key of another',
    async () => states(await svid({}, { key: (await ca.issue()).keyDer })),
    /not for our key/,
  ],
  ['gives no key', async () => states(await svid({}, { key: Buffer.alloc(0) })), /lacks a part/],
  [
    'gives another trust domain',
    async () => states(await svid({ uris: ['spiffe://evil/a'] })),
    /trust domain evil/,
  ],
  [
    'cuts a certificate short',
    async () => states(await svid({}, { svid: (await ca.issue()).der.subarray(0, 100) })),
    /cut short/,
  ],
  [
    'adds bytes to a certificate',
    async () => states(await svid({}, { bundle: Buffer.concat([ca.der, Buffer.from('x')]) })),
    /cannot be read/,
  ],
  ['gives no identity', () => Promise.resolve(states()), /none of 0 identities/],
  [
    'sends what is no message',
    () =>
      Promise.resolve((stream) => {
        open(stream)
        send(stream, Buffer.from([0x0a, 0x7f]))
      }),
    /not well formed/,
  ],
  [
    'sends a message beyond its bounds',
    () =>
      Promise.resolve((stream) => {
        open(stream)
        stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))
      }),
    /larger than/,
  ],
  [
    'compresses',
    () =>
      Promise.resolve((stream) => {
        open(stream)
        stream.write(Buffer.from([1, 0, 0, 0, 1, 0]))
      }),
    /compressed/,
  ],
  [
    'is no gRPC server',
    () =>
      Promise.resolve((stream) => {
        stream.respond({ ':status': 200, 'content-type': 'text/html' })
        stream.write('<html>')
      }),
    /not as gRPC|not well|compressed/,
  ],
  [
    'answers 503',
    () =>
      Promise.resolve((stream) => {
        stream.respond({ ':status': 503 })
        stream.end()
      }),
    /answered 503/,
  ],
  ['says nothing', () => Promise.resolve((stream) => open(stream)), /no message came in time/],
  [
    'breaks off',
    () =>
      Promise.resolve((stream) => {
        open(stream)
        stream.session?.destroy()
      }),
    /./,
  ],
])(
  'an agent that %s leaves the workload without an identity, and is asked again',
  async (_what, make, reason) => {
    agent.onCall = await make()
    await start({ timeoutMs: 1500 })
    await it.until(() => failures().length >= 2)
    expect(failures()[0]).toMatch(reason)
    expect(identity?.unready()).toMatch(/none yet/)
    expect(existsSync(directory)).toBe(false)
    agent.onCall = states(await svid())
    await identity?.ready()
  },
)

test('an agent that is gone without closing its socket is noticed by its silence', async () => {
  agent.onCall = states(await svid())
  const [frozen, sockets] = [join(folder, 'frozen.sock'), new Set<Socket>()]
  const between = createSocketServer((client) => {
    const upstream = connectSocket(socket)
    for (const one of [client, upstream]) sockets.add(one.on('error', () => undefined))
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => between.listen(frozen, resolve))
  await (await start({ socket: frozen, pingMs: 100 })).ready()
  for (const one of sockets) one.unpipe().pause()
  await it.until(() => failures().includes('no answer to a ping'))
  await identity?.close()
  for (const one of sockets) one.destroy()
  await new Promise((resolve) => between.close(resolve))
})

test('a socket that does not speak HTTP/2 is a failure', async () => {
  await agent.close()
  const server = createSocketServer(
    (it) =>
      void it
        .on('error', () => undefined)
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  )
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  await start()
  await it.until(() => failures().length >= 2)
  await identity?.close()
  await new Promise((resolve) => server.close(resolve))
  agent = await workloadApi(socket)
})

test.each(['agent.sock', 'tcp://127.0.0.1:1', ''])('the socket %j is refused at once', async (path) => {
  await expect(start({ socket: path })).rejects.toThrow('absolute path')
})

test('no bytes make the decoder do anything but read or refuse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        for (const found of lengthFields(bytes)) expect(found.bytes.length).toBeLessThanOrEqual(bytes.length)
        readSvids(bytes)
      } catch (error) {
        expect((error as Error).message).not.toMatch(/undefined|NaN|Cannot read/)
      }
    }),
    { numRuns: 2000 },
  )
})

test('fields are read in order, and numbers between them are skipped', () => {
  const varintField = Buffer.concat([varint(7 * 8), varint(300)])
  const fixed = Buffer.concat([varint(8 * 8 + 5), Buffer.alloc(4), varint(9 * 8 + 1), Buffer.alloc(8)])
  const message = Buffer.concat([field(1, Buffer.from('a')), varintField, field(2, Buffer.alloc(200)), fixed])
  expect(lengthFields(message).map(({ number, bytes }) => [number, bytes.length])).toEqual([
    [1, 1],
    [2, 200],
  ])
})

test.each([
  ['a length of 2^63', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ['a varint without end', [0x08, ...Array<number>(11).fill(0x80)]],
  ['field number 0', [0x02, 0x00]],
  ['a group', [0x0b]],
  ['a cut number', [0x0d, 0, 0]],
])('%s is refused', (_what, bytes) => {
  expect(() => lengthFields(Uint8Array.from(bytes))).toThrow('not well formed')
})
