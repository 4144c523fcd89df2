import { afterEach, expect, test } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Identifier } from '../core/caller.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { noLog } from '../core/log.ts'
import { readKeySet } from './key-set.ts'
import { remoteKeys } from './key-source.ts'
import type { KeptKeys, KeySourceOptions } from './key-source.ts'
import { jwtIdentifier } from './jwt.ts'
import type { JwtIssuerOptions } from './jwt.ts'
import { bearer, claimsOf, newSigner, sign, startKeyServer } from './test/issuer.ts'
import type { KeyServer, Signer } from './test/issuer.ts'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const counting = () => {
  const counts: Record<string, number> = {}
  const meter: Meter = {
    add: (name, amount, ...labels) => {
      const key = [name, ...labels].join(' ')
      counts[key] = (counts[key] ?? 0) + amount
    },
    set: () => undefined,
    observe: () => undefined,
  }
  return { meter, counts }
}

/** An identifier over a real key server, with fast retries. */
const start = async (server: KeyServer, more: Partial<JwtIssuerOptions> = {}, log: Log = noLog) => {
  const { meter, counts } = counting()
  const issuer = {
    name: 'corp',
    issuer: server.url,
    jwksUrl: `${server.url}/keys`,
    audiences: ['models'],
    claims: { defaults: { tenant: 't' } },
    coolDownS: 0,
    retryMinS: 0.02,
    retryMaxS: 0.02,
    timeoutMs: 1500,
    ...more,
  }
  const identifier = jwtIdentifier({ issuers: [issuer] }, { meter, log })
  cleanups.push(
    () => identifier.close(),
    () => server.close(),
  )
  return Promise.resolve({ identifier, counts })
}

const token = (server: KeyServer, signer: Signer) =>
  sign(signer, claimsOf(server.url, { jti: String(Math.random()) }))
const call = async (identifier: Identifier, text: string) => {
  try {
    return (await identifier.identify(bearer(text)))?.subject
  } catch (error) {
    return (error as { code: string }).code
  }
}

const faults: Record<string, (server: KeyServer) => void> = {
  'answers 500': (server) => (server.answer = (response) => response.writeHead(500).end('{}')),
  hangs: (server) => (server.answer = () => undefined),
  'sends headers and hangs': (server) =>
    (server.answer = (response) => response.writeHead(200).flushHeaders()),
  'drops the connection': (server) => (server.answer = (response) => response.destroy()),
  'answers an empty set': (server) => (server.answer = (response) => response.end('{"keys":[]}')),
  'answers no set': (server) => (server.answer = (response) => response.end('{}')),
  'answers HTML': (server) => (server.answer = (response) => response.end('<html>')),
  'answers the keys doubled': (server) =>
    (server.answer = (response) => response.end('{"keys":[],"keys":[{}]}')),
  'answers 65 keys': (server) =>
    (server.answer = (response) => {
      const { jwk } = newSigner()
      response.end(
        JSON.stringify({ keys: Array.from({ length: 65 }, (_, index) => ({ ...jwk, kid: `k${index}` })) }),
      )
    }),
  'answers without end': (server) =>
    (server.answer = (response) => {
      const more = () => {
        while (response.write(' '.repeat(65_536)));
        response.once('drain', more)
      }
      more()
    }),
  redirects: (server) =>
    (server.answer = (response, path) =>
      path === '/keys'
        ? response.writeHead(302, { location: `${server.url}/elsewhere` }).end()
        : response.end(JSON.stringify({ keys: [newSigner().jwk] }))),
  compresses: (server) =>
    (server.answer = (response) =>
      response
        .writeHead(200, { 'content-encoding': 'gzip' })
        .end(JSON.stringify({ keys: [newSigner().jwk] }))),
}

test.each(Object.keys(faults))('a key server that %s does not take the known keys away', async (fault) => {
  const signer = newSigner()
  const server = await startKeyServer([signer.jwk])
  const { identifier, counts } = await start(server, { refreshS: 0.05 })
  expect(await call(identifier, await token(server, signer))).toBe('alice')
  faults[fault]!(server)
  while (!(counts['postern_key_set_fetches_total corp failed']! > 1)) await sleep(20)
  expect(await call(identifier, await token(server, signer))).toBe('alice')
  expect(await call(identifier, await token(server, newSigner()))).toBe('unauthenticated')
  expect(server.requests).not.toContain('/elsewhere')
})

test.each(Object.keys(faults))(
  'with no keys ever, because the key server %s, nothing can be checked',
  async (fault) => {
    const signer = newSigner()
    const server = await startKeyServer([signer.jwk])
    const healthy = server.answer
    faults[fault]!(server)
    const { identifier } = await start(server)
    expect(await call(identifier, await token(server, signer))).toBe('guard_unavailable')
    server.answer = healthy
    while ((await call(identifier, await token(server, signer))) !== 'alice') await sleep(20)
  },
)

test('keys are trusted until they are too stale, for remembered tokens too', async () => {
  const signer = newSigner()
  const server = await startKeyServer([signer.jwk])
  const { identifier } = await start(server, { refreshS: 0.1, maxStaleS: 3 })
  const remembered = await token(server, signer)
  expect(await call(identifier, remembered)).toBe('alice')
  const healthy = server.answer
  faults['answers 500']!(server)
  await sleep(200)
  expect(await call(identifier, remembered)).toBe('alice')
  await sleep(3100)
  expect(await call(identifier, remembered)).toBe('guard_unavailable')
  expect(await call(identifier, await token(server, signer))).toBe('guard_unavailable')
  server.answer = healthy
  while ((await call(identifier, remembered)) !== 'alice') await sleep(20)
})

test('a new key is fetched when a token names it, and a dropped one takes its remembered tokens with it', async () => {
  const [old, fresh] = [newSigner('ES256', 'old'), newSigner('ES256', 'fresh')]
  const server = await startKeyServer([old.jwk])
  const { identifier } = await start(server)
  const remembered = await token(server, old)
  expect(await call(identifier, remembered)).toBe('alice')
  server.answer = (response) => response.end(JSON.stringify({ keys: [old.jwk, fresh.jwk] }))
  expect(await call(identifier, await token(server, fresh))).toBe('alice')
  expect(await call(identifier, remembered)).toBe('alice')
  server.answer = (response) => response.end(JSON.stringify({ keys: [fresh.jwk] }))
  expect(await call(identifier, await token(server, newSigner()))).toBe('unauthenticated')
  expect(await call(identifier, remembered)).toBe('unauthenticated')
})

test('another key under the same kid is another key', async () => {
  const [old, swapped] = [newSigner('ES256', 'same'), newSigner('ES256', 'same')]
  const server = await startKeyServer([old.jwk])
  const { identifier } = await start(server)
  const remembered = await token(server, old)
  expect(await call(identifier, remembered)).toBe('alice')
  server.answer = (response) => response.end(JSON.stringify({ keys: [swapped.jwk] }))
  expect(await call(identifier, await token(server, newSigner()))).toBe('unauthenticated')
  expect(await call(identifier, remembered)).toBe('unauthenticated')
  expect(await call(identifier, await token(server, swapped))).toBe('alice')
})

test('made-up key ids cause one fetch per cool-down, however many come', async () => {
  const signer = newSigner()
  const server = await startKeyServer([signer.jwk])
  const { identifier } = await start(server, { coolDownS: 3 })
  expect(await call(identifier, await token(server, signer))).toBe('alice')
  const flood = async () => {
    const tokens = await Promise.all(Array.from({ length: 40 }, () => token(server, newSigner('ES256'))))
    return new Set(await Promise.all(tokens.map((text) => call(identifier, text))))
  }
  expect(await flood()).toEqual(new Set(['unauthenticated']))
  expect(server.requests).toHaveLength(1)
  await sleep(3100)
  expect(await flood()).toEqual(new Set(['unauthenticated']))
  expect(server.requests).toHaveLength(2)
})

test('many first callers wait for one fetch', async () => {
  const signer = newSigner()
  const server = await startKeyServer([signer.jwk])
  const { identifier } = await start(server)
  const tokens = await Promise.all(Array.from({ length: 20 }, () => token(server, signer)))
  expect(new Set(await Promise.all(tokens.map((text) => call(identifier, text))))).toEqual(new Set(['alice']))
  expect(server.requests).toEqual(['/keys'])
})

test('a reload while the key server is down keeps the keys, unless it asks elsewhere', async () => {
  const signer = newSigner()
  const server = await startKeyServer([signer.jwk])
  const keptKeys: KeptKeys = new Map()
  const reload = (more: Partial<JwtIssuerOptions> = {}) => {
    const issuer = {
      name: 'corp',
      issuer: server.url,
      audiences: ['models'],
      claims: { defaults: { tenant: 't' } },
      ...more,
    }
    const identifier = jwtIdentifier({ issuers: [issuer], keptKeys }, { meter: counting().meter, log: noLog })
    cleanups.push(() => identifier.close())
    return identifier
  }
  cleanups.push(() => server.close())
  expect(await call(reload(), await token(server, signer))).toBe('alice')
  faults['answers 500']!(server)
  expect(await call(reload(), await token(server, signer))).toBe('alice')
  expect(await call(reload({ jwksUrl: `${server.url}/keys` }), await token(server, signer))).toBe(
    'guard_unavailable',
  )
})

const options: KeySourceOptions = {
  name: 'i',
  refreshS: 1000,
  maxStaleS: 5000,
  coolDownS: 30,
  retryMinS: 1,
  retryMaxS: 60,
}

test('after a failure fetches back off exponentially, whatever callers do', async () => {
  let now = 0
  const waits: number[] = []
  const log: Log = { ...noLog, warn: (_, fields) => waits.push(Number(fields?.retryS)) }
  const load = () => Promise.reject(new Error('down'))
  const keys = remoteKeys(load, { ...options, elapsedS: () => now }, { meter: counting().meter, log })
  cleanups.push(() => keys.close())
  const header = { alg: 'ES256', kid: 'k', typ: undefined, hints: [] }
  await sleep(0)
  for (let asked = 1; asked < 10; asked++) {
    const before = waits.length
    await expect(keys.find(header)).rejects.toMatchObject({ code: 'guard_unavailable' })
    expect(waits).toHaveLength(before)
    now += waits.at(-1)!
    await expect(keys.find(header)).rejects.toMatchObject({ code: 'guard_unavailable' })
    expect(waits).toHaveLength(before + 1)
  }
  waits.forEach((wait, index) => {
    const plain = Math.min(2 ** index, 60)
    expect(wait).toBeGreaterThanOrEqual(plain * 0.75)
    expect(wait).toBeLessThanOrEqual(plain * 1.25)
  })
})

test('a failed fetch is logged without what the server said', async () => {
  const server = await startKeyServer([])
  server.answer = (response) => response.writeHead(500).end('{"password":"hunter2"}')
  const lines: unknown[] = []
  const { identifier } = await start(server, {}, { ...noLog, warn: (...line) => lines.push(line) })
  await call(identifier, await token(server, newSigner()))
  const { inspect } = await import('node:util')
  expect(inspect(lines, { depth: 9 })).toMatch(/key_set_fetch_failed[^]*answered 500/)
  expect(inspect(lines, { depth: 9 })).not.toMatch(/hunter2/)
})

test.each<[string, object]>([
  ['names another issuer', { issuer: 'https://evil.test' }],
  ['names the issuer with one more slash', { issuer: 'SELF/' }],
  ['has no key address', { jwks_uri: undefined }],
  ['sends us to a remote plain http address', { jwks_uri: 'http://keys.test/keys' }],
  ['sends us to a file', { jwks_uri: 'file:///etc/passwd' }],
  ['has a password in the key address', { jwks_uri: 'http://u:p@127.0.0.1/keys' }],
  ['has an endless key address', { jwks_uri: `https://127.0.0.1/${'a'.repeat(2048)}` }],
])('discovery that %s gives no keys', async (_, wrong) => {
  const server = await startKeyServer([])
  server.answer = (response) => {
    const answer = { issuer: server.url, jwks_uri: `${server.url}/keys`, ...wrong }
    response.end(JSON.stringify(answer).replace('SELF', server.url))
  }
  const { meter, counts } = counting()
  const identifier = jwtIdentifier(
    {
      issuers: [
        { name: 'corp', issuer: server.url, audiences: ['a'], claims: { defaults: { tenant: 't' } } },
      ],
    },
    { meter, log: noLog },
  )
  cleanups.push(
    () => identifier.close(),
    () => server.close(),
  )
  expect(await call(identifier, await token(server, newSigner()))).toBe('guard_unavailable')
  expect(server.requests).toEqual(['/.well-known/openid-configuration'])
  expect(counts['postern_key_set_fetches_total corp failed']).toBe(1)
})

test('the same key listed twice is one key', () => {
  const { jwk, kid, alg } = newSigner()
  const keys = readKeySet({ keys: [jwk, jwk] }, ['ES256'])
  expect(keys.select({ alg, kid, typ: undefined, hints: [] })).toBeDefined()
})
