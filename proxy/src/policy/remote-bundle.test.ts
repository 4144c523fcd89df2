import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Log } from '../core/log.ts'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { remoteBundle, type RemoteBundle, type RemoteBundleOptions } from './remote-bundle.ts'
import {
  httpsServer,
  selfSigned,
  showsCertificate,
  type Answer,
  type Identity,
  type TestServer,
} from './test/bundle-server.ts'
import { opaPath } from './test/real-opa.ts'
import {
  canonicalFiles,
  embeddedFiles,
  keyPair,
  packed,
  signatures,
  signedArchive,
  signedByOpa,
} from './test/signed-bundle.ts'
import { wasmPolicy } from './wasm.ts'

const opa = opaPath()
const ours = keyPair()
const files = canonicalFiles
const signed = signedArchive(ours)

let identity: Identity
let archives: {
  readonly v1: Uint8Array
  readonly v2: Uint8Array
  readonly foreign: Uint8Array
  readonly unsigned: Uint8Array
}
beforeAll(async () => {
  identity = await selfSigned('bundles')
  archives = {
    v1: await signed(files('v1')),
    v2: await signed(files('v2')),
    foreign: await signedArchive(keyPair())(files('v3')),
    unsigned: packed(files('v4')),
  }
})

let folder: string
let server: TestServer
let file: string
let events: [string, string][]
let counts: Record<string, number>
let confirmed: number | undefined
let bundles: number
let following: RemoteBundle | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-remote-'))
  file = join(folder, 'run', 'bundle.tar.gz')
  writeFileSync(join(folder, 'ca.crt'), identity.cert)
  writeFileSync(join(folder, 'bundle.pub'), ours.publicPem)
  server = await httpsServer(identity)
  events = []
  counts = {}
  confirmed = undefined
  bundles = 0
})
afterEach(async () => {
  await following?.close()
  following = undefined
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const note = (event: string, fields?: Parameters<Log['info']>[1]): void =>
  void events.push([event, (fields?.['cause'] as Error | undefined)?.message ?? ''])
const start = async (options: Partial<RemoteBundleOptions> = {}): Promise<RemoteBundle> =>
  (following = await remoteBundle({
    url: server.url,
    file,
    caFile: join(folder, 'ca.crt'),
    publicKeyFile: join(folder, 'bundle.pub'),
    waitS: 0,
    minDelayMs: 5,
    maxDelayMs: 10,
    retryMinMs: 5,
    retryMaxMs: 10,
    onBundle: () => void (bundles += 1),
    log: { info: note, warn: note, error: note },
    meter: {
      ...noMeter,
      add: (name, amount, label) =>
        void (counts[`${name} ${label}`] = (counts[`${name} ${label}`] ?? 0) + amount),
      set: (_name, value) => void (confirmed = value),
    },
    ...options,
  }))

const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 1500)
      throw new Error(`did not come to pass: ${JSON.stringify({ events: events.slice(-5), counts })}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
const fetched = (result: string): number => counts[`postern_policy_bundle_fetches_total ${result}`] ?? 0
const onDisk = (): Uint8Array | undefined => (existsSync(file) ? readFileSync(file) : undefined)
const sends =
  (archive: Uint8Array, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-length': archive.length, ...headers }).end(archive)

test('a signed bundle comes to the file, readable by its owner only, and the engine runs it', async () => {
  server.answer = sends(archives.v1)
  const it = await start()
  await it.ready()
  expect(it.unready()).toBeUndefined()
  expect(onDisk()).toEqual(Buffer.from(archives.v1))
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(folder, 'run'))).toEqual(['bundle.tar.gz'])
  expect(confirmed).toBeGreaterThan(Date.now() / 1000 - 60)
  const policy = await wasmPolicy({ bundle: file, meter: noMeter, log: noLog })
  expect(policy.revision()).toBe('v1')
  server.answer = sends(archives.v2)
  await until(() => fetched('new') === 2)
  await policy.reload()
  expect(policy.revision()).toBe('v2')
  await policy.close()
  expect(bundles).toBe(2)
})

test('what somebody else puts at the file is not loaded', async () => {
  server.answer = sends(archives.v1)
  const it = await start({ minDelayMs: 60_000, maxDelayMs: 60_000 })
  await it.ready()
  const given = { bundle: file, verify: (bytes: Uint8Array) => it.verify(bytes) }
  const policy = await wasmPolicy({ ...given, meter: noMeter, log: noLog })
  writeFileSync(file, archives.foreign)
  await policy.reload()
  expect(policy.revision()).toBe('v1')
  await policy.close()
})

test('an ETag is sent back, and 304 keeps what there is', async () => {
  server.answer = (request, response) =>
    request.headers['if-none-match'] === '"one"'
      ? void response.writeHead(304).end()
      : sends(archives.v1, { etag: '"one"' })(request, response)
  await start()
  await until(() => fetched('unchanged') >= 2)
  expect(fetched('new')).toBe(1)
  expect(bundles).toBe(1)
})

test('without ETags the same bundle is not written again', async () => {
  server.answer = sends(archives.v1)
  await start()
  await until(() => fetched('new') === 1)
  const { ino } = await stat(file)
  await until(() => fetched('unchanged') >= 3)
  expect((await stat(file)).ino).toBe(ino)
  expect(bundles).toBe(1)
})

test('a server that waits is asked to, and asked again soon but never without end', async () => {
  let held: (() => void) | undefined
  server.answer = (request, response) => {
    const waits = { etag: '"1"', 'content-type': 'application/vnd.openpolicyagent.bundles' }
    if (request.headers['if-none-match'] === undefined) sends(archives.v1, waits)(request, response)
    else held = () => sends(archives.v2, { etag: '"2"' })(request, response)
  }
  await start({ waitS: 60, minDelayMs: 600_000, maxDelayMs: 600_000 })
  await until(() => held !== undefined)
  expect(server.requests.map(({ headers }) => headers.prefer)).toEqual(['wait=60', 'wait=60'])
  held?.()
  await until(() => fetched('new') === 2)
  expect(server.requests).toHaveLength(2)
})

test('the token and the client certificate are read anew for each request', async () => {
  await server.close()
  server = await httpsServer(identity, identity.cert)
  server.answer = sends(archives.v1)
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'first\n')
  const other = await selfSigned('other')
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  writeFileSync(certFile, other.cert)
  writeFileSync(keyFile, other.key)
  await start({ tokenFile, client: { certFile, keyFile } })
  await until(() => fetched('failed') > 0)
  writeFileSync(certFile, identity.cert)
  writeFileSync(keyFile, identity.key)
  await until(() => fetched('new') === 1)
  writeFileSync(tokenFile, 'second')
  await until(() => server.requests.some(({ headers }) => headers.authorization === 'Bearer second'))
  expect(server.requests[0]?.headers.authorization).toBe('Bearer first')
  expect(server.requests.every(showsCertificate)).toBe(true)
})

const bomb = (): Uint8Array => gzipSync(Buffer.alloc(80 * 1024 * 1024))

test.each<[string, () => Uint8Array | Promise<Uint8Array>, RegExp]>([
  ['signed by another key', () => archives.foreign, /not signed by the key/],
  ['not signed', () => archives.unsigned, /is not signed/],
  ['cut short inside its gzip', () => archives.v2.subarray(0, archives.v2.length - 100), /./],
  ['a gzip bomb', bomb, /larger than|Cannot create|buffer/i],
  ['no gzip', () => Buffer.from('hello'), /header/],
  ['empty', () => Buffer.alloc(0), /./],
  ['signed but no policy', () => signed({ 'data.json': '{}' }), /has no policy\.wasm/],
  ['signed but no WebAssembly', () => signed({ ...files('v5'), 'policy.wasm': 'x' }), /does not compile/],
  [
    'signed but silent about requests',
    () => signed({ ...files('v6'), 'data.json': '{"roles":7}' }),
    /cannot be used/,
  ],
  [
    'of a file more',
    async () => packed({ ...files('v7'), x: '', '.signatures.json': await signatures(files('v7'), ours) }),
    /x: is not in the signature/,
  ],
  [
    'of a file less',
    async () => packed({ 'policy.wasm': 'x', '.signatures.json': await signatures(files('v8'), ours) }),
    /policy\.wasm|missing/,
  ],
  ['expired', () => signed(files('v9'), { exp: 1 }), /expired/],
])(
  'a bundle that is %s is rejected, counted and logged, and the last good one stays',
  async (_how, make, reason) => {
    const bad = await make()
    server.answer = sends(archives.v1, { etag: '"good"' })
    const it = await start()
    await it.ready()
    server.answer = sends(bad, { etag: '"bad"' })
    await until(() => fetched('rejected') >= 2)
    expect(events.find(([event]) => event === 'policy_bundle_rejected')?.[1]).toMatch(reason)
    expect(onDisk()).toEqual(Buffer.from(archives.v1))
    expect(readdirSync(join(folder, 'run'))).toEqual(['bundle.tar.gz'])
    expect(it.unready()).toBeUndefined()
    expect(bundles).toBe(1)
    // A 304 for the bad one would look as if it were in use.
    expect(server.requests.at(-1)?.headers['if-none-match']).toBe('"good"')
  },
)

test.each<[string, Answer, RegExp]>([
  [
    'redirects',
    (_request, response) => void response.writeHead(302, { location: '/other' }).end(),
    /redirects are not followed/,
  ],
  ['says 304 unasked', (_request, response) => void response.writeHead(304).end(), /304/],
  ['says 503', (_request, response) => void response.writeHead(503).end(), /503/],
  [
    'answers in a coding',
    (request, response) => sends(archives.v1, { 'content-encoding': 'gzip' })(request, response),
    /content coding/,
  ],
  [
    'breaks off',
    (_request, response) => {
      response.writeHead(200, { 'content-length': archives.v1.length })
      response.write(archives.v1.subarray(0, 1000), () => response.destroy())
    },
    /./,
  ],
  [
    'drips',
    (_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(drip))
    },
    /abort|timeout/i,
  ],
  ['says nothing', () => undefined, /abort|timeout/i],
  [
    'answers without end',
    (_request, response) => {
      response.writeHead(200)
      const more = (): void => {
        if (response.write(Buffer.alloc(65536))) setImmediate(more)
        else response.once('drain', more)
      }
      response.on('close', () => response.removeAllListeners('drain'))
      more()
    },
    /more than/,
  ],
])('a server that %s counts as failed and the guard is not ready', async (_what, answer, reason) => {
  server.answer = answer
  const it = await start({ timeoutMs: 500, maxBytes: 1024 * 1024 })
  await until(() => fetched('failed') >= 2)
  expect(it.unready()).toMatch(/^policy bundle: none yet: /)
  expect(events.find(([event]) => event === 'policy_bundle_fetch_failed')?.[1]).toMatch(reason)
  expect(onDisk()).toBeUndefined()
})

test('a server of another authority is not asked', async () => {
  writeFileSync(join(folder, 'ca.crt'), (await selfSigned('other')).cert)
  await start()
  await until(() => fetched('failed') >= 1)
  expect(server.requests).toEqual([])
})

test('a missing key file refuses, it does not do without signatures', async () => {
  rmSync(join(folder, 'bundle.pub'))
  server.answer = sends(archives.unsigned)
  await start()
  await until(() => fetched('failed') >= 1)
  expect(onDisk()).toBeUndefined()
})

test('where no key is given, an unsigned bundle is taken', async () => {
  server.answer = sends(archives.unsigned)
  following = await remoteBundle({
    url: server.url,
    file,
    caFile: join(folder, 'ca.crt'),
    meter: noMeter,
    log: noLog,
  })
  await following.ready()
  expect(onDisk()).toEqual(Buffer.from(archives.unsigned))
})

describe('a start', () => {
  test('without a server uses what was kept, and says how old it is', async () => {
    server.answer = sends(archives.v1)
    await (await start()).ready()
    await following?.close()
    server.answer = (_request, response) => void response.writeHead(500).end()
    const it = await start()
    await it.ready()
    expect(it.unready()).toBeUndefined()
    expect(confirmed).toBeCloseTo((await stat(file)).mtimeMs / 1000, 2)
    expect(events.map(([event]) => event)).toContain('policy_bundle_from_disk')
  })

  test('removes what was kept when it does not pass', async () => {
    server.answer = sends(archives.v1)
    await (await start()).ready()
    await following?.close()
    writeFileSync(file, archives.foreign)
    server.answer = (_request, response) => void response.writeHead(500).end()
    const it = await start()
    expect(it.unready()).toBeDefined()
    expect(onDisk()).toBeUndefined()
  })

  test('is over when closed before there was a bundle', async () => {
    const it = await start()
    const ready = it.ready()
    await it.close()
    await expect(ready).rejects.toThrow('closed')
  })

  test.each(['http://127.0.0.1/b', 'file:///b', 'bundle'])('refuses the URL %s', async (url) => {
    await expect(start({ url })).rejects.toThrow('https://')
  })
})

test('an older bundle is refused where signatures have their time', async () => {
  const at = Math.floor(Date.now() / 1000)
  server.answer = sends(await signed(files('v2'), { iat: at }))
  await (await start()).ready()
  server.answer = sends(await signed(files('v1'), { iat: at - 3600 }))
  await until(() => fetched('rejected') >= 1)
  server.answer = sends(archives.v1)
  const before = fetched('rejected')
  await until(() => fetched('rejected') > before)
  expect(fetched('new')).toBe(1)
  server.answer = sends(await signed(files('v3'), { iat: at + 1 }))
  await until(() => fetched('new') === 2)
})

test('without times in the signatures an older bundle cannot be told from a new one', async () => {
  server.answer = sends(archives.v2)
  await (await start()).ready()
  server.answer = sends(archives.v1)
  await until(() => fetched('new') === 2)
  expect(onDisk()).toEqual(Buffer.from(archives.v1))
})

;(opa === undefined ? test.skip : test)(
  'a bundle signed by the real OPA is taken (skipped where opa is missing)',
  async () => {
    const contents = embeddedFiles('by-opa')
    server.answer = sends(packed({ ...contents, '.signatures.json': signedByOpa(opa!, contents, ours) }))
    await (await start()).ready()
    const policy = await wasmPolicy({ bundle: file, meter: noMeter, log: noLog })
    expect(policy.revision()).toBe('by-opa')
    await policy.close()
  },
)
