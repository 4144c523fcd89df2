import { afterEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Identifier } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import { noLog } from '../core/log.ts'
import type { Log } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { serviceAccountIdentifier } from './service-account.ts'
import type { ServiceAccountOptions } from './service-account.ts'
import { bearer, closed, listen, newSigner, seconds, sign } from './test/issuer.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const SUBJECT = 'system:serviceaccount:prod:app'

interface Review {
  readonly headers: IncomingMessage['headers']
  readonly body: {
    readonly apiVersion: string
    readonly kind: string
    readonly spec: { readonly token: string; readonly audiences: string[] }
  }
}

/** A stub of the API server that speaks the documented wire format of TokenReview v1. Not a Kubernetes: it verifies nothing. */
const startStub = async () => {
  const stub = {
    reviews: [] as Review[],
    status: {
      authenticated: true,
      user: { username: SUBJECT, uid: '1', groups: ['system:serviceaccounts'] },
      audiences: ['postern'],
    } as object,
    answer: (response: ServerResponse, review: Review): unknown =>
      response
        .writeHead(201, { 'content-type': 'application/json' })
        .end(JSON.stringify({ ...review.body, metadata: {}, status: stub.status })),
  }
  const { server, url } = await listen((request, response) => {
    void (async () => {
      expect([request.method, request.url]).toEqual(['POST', '/apis/authentication.k8s.io/v1/tokenreviews'])
      const chunks = await request.toArray()
      const review = {
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()) as Review['body'],
      }
      stub.reviews.push(review)
      stub.answer(response, review)
    })()
  })
  cleanups.push(() => closed(server))
  return { stub, url }
}

const start = async (more: Partial<ServiceAccountOptions> = {}, now = Date.now, log: Log = noLog) => {
  const { stub, url } = await startStub()
  const folder = mkdtempSync(join(tmpdir(), 'postern-token-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'token'), 'guard-token\n')
  const options = {
    server: url,
    tokenFile: join(folder, 'token'),
    audiences: ['postern'],
    timeoutMs: 3000,
    ...more,
  }
  const identifier = serviceAccountIdentifier(options, { meter: noMeter, log, now })
  cleanups.push(() => identifier.close())
  return { stub, identifier }
}

const signer = newSigner()
const token = (more: JsonObject = {}) =>
  sign(signer, {
    iss: 'https://kubernetes',
    sub: SUBJECT,
    aud: ['postern'],
    exp: seconds() + 600,
    jti: String(Math.random()),
    ...more,
  })
const call = async (identifier: Identifier, text: string) => {
  try {
    return (await identifier.identify(bearer(text)))?.subject
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('a token that the API server vouches for names its service account', async () => {
  const { stub, identifier } = await start({
    grants: [{ match: 'prod/*', roles: ['reader'], scopes: ['chat'] }],
  })
  const text = await token()
  expect(await identifier.identify(bearer(text))).toEqual({
    subject: SUBJECT,
    tenant: 'prod',
    roles: ['reader'],
    scopes: ['chat'],
    via: 'service-account',
  })
  expect(stub.reviews[0]).toMatchObject({
    headers: { authorization: 'Bearer guard-token' },
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: text, audiences: ['postern'] },
    },
  })
})

test.each<[string, object]>([
  ['not authenticated', { authenticated: false }],
  ['nothing', {}],
  ['an error', { authenticated: true, error: 'x', user: { username: SUBJECT }, audiences: ['postern'] }],
  ['no audiences: it has not checked them', { authenticated: true, user: { username: SUBJECT } }],
  ['other audiences', { authenticated: true, user: { username: SUBJECT }, audiences: ['other'] }],
  [
    'another user',
    { authenticated: true, user: { username: 'system:serviceaccount:prod:other' }, audiences: ['postern'] },
  ],
  ['no user', { authenticated: true, audiences: ['postern'] }],
])('a review that says %s is refused', async (_, status) => {
  const { stub, identifier } = await start()
  stub.status = status
  expect(await call(identifier, await token())).toBe('unauthenticated')
})

test.each([
  'system:serviceaccount:prod',
  'system:serviceaccount:prod:a:b',
  'system:serviceaccount::a',
  'system:serviceaccount:Prod:a',
  'system:serviceaccount:a/b:c',
])('the name %s is refused even when vouched for', async (username) => {
  const { stub, identifier } = await start()
  stub.status = { authenticated: true, user: { username }, audiences: ['postern'] }
  expect(await call(identifier, await token({ sub: username }))).toBe('unauthenticated')
})

test('the API server is not asked about what it could only refuse, nor about tokens of others', async () => {
  const { stub, identifier } = await start({ issuer: 'https://kubernetes' })
  expect(await call(identifier, await token({ exp: seconds() - 1 }))).toBe('unauthenticated')
  expect(await call(identifier, await token({ aud: 'other' }))).toBe('unauthenticated')
  expect(await call(identifier, await token({ exp: null }))).toBe('unauthenticated')
  expect(await call(identifier, await token({ sub: 'alice' }))).toBeUndefined()
  expect(await call(identifier, await token({ iss: 'https://other' }))).toBeUndefined()
  expect(await call(identifier, 'pk-1234')).toBeUndefined()
  expect(stub.reviews).toHaveLength(0)
})

test('answers are remembered for a short time, good ones never past the end of the token', async () => {
  let now = Date.now()
  const { stub, identifier } = await start({ cacheS: 60, refusalCacheS: 2 }, () => now)
  const good = await token({ exp: Math.floor(now / 1000) + 10 })
  expect([await call(identifier, good), await call(identifier, good)]).toEqual([SUBJECT, SUBJECT])
  expect(stub.reviews).toHaveLength(1)
  now += 10_000
  expect(await call(identifier, good)).toBe('unauthenticated')
  expect(stub.reviews).toHaveLength(1)
  stub.status = { authenticated: false }
  const bad = await token()
  expect([await call(identifier, bad), await call(identifier, bad)]).toEqual([
    'unauthenticated',
    'unauthenticated',
  ])
  expect(stub.reviews).toHaveLength(2)
  now += 2_000
  await call(identifier, bad)
  expect(stub.reviews).toHaveLength(3)
})

test('one review serves all who present the same token at once', async () => {
  const { stub, identifier } = await start()
  const text = await token()
  const answers = await Promise.all(Array.from({ length: 30 }, () => call(identifier, text)))
  expect(new Set(answers)).toEqual(new Set([SUBJECT]))
  expect(stub.reviews).toHaveLength(1)
})

test('reviews in flight are bounded', async () => {
  const { stub, identifier } = await start({ maxInFlight: 2 })
  const answer = stub.answer
  stub.answer = (...args) => setTimeout(() => answer(...args), 1000)
  const answers = await Promise.all(Array.from({ length: 5 }, async () => call(identifier, await token())))
  expect(answers.filter((each) => each === SUBJECT)).toHaveLength(2)
  expect(answers.filter((each) => each === 'guard_unavailable')).toHaveLength(3)
  expect(stub.reviews).toHaveLength(2)
})

test.each<[string, (response: ServerResponse) => unknown]>([
  ['fails', (response) => response.writeHead(500).end('{}')],
  [
    'forbids',
    (response) => response.writeHead(403, { 'content-type': 'application/json' }).end('{"kind":"Status"}'),
  ],
  ['hangs', () => undefined],
  ['drops the connection', (response) => response.destroy()],
  [
    'answers no JSON',
    (response) => response.writeHead(201, { 'content-type': 'application/json' }).end('<html>'),
  ],
  [
    'answers no review',
    (response) => response.writeHead(201, { 'content-type': 'application/json' }).end('{}'),
  ],
  ['answers too much', (response) => response.writeHead(201).end(' '.repeat(100_000))],
  ['redirects', (response) => response.writeHead(307, { location: '/apis/other' }).end()],
])('an API server that %s leaves nothing to check with, and recovers', async (_, fault) => {
  const lines: unknown[] = []
  const { stub, identifier } = await start({}, Date.now, { ...noLog, warn: (...line) => lines.push(line) })
  const answer = stub.answer
  stub.answer = fault
  const text = await token()
  expect(await call(identifier, text)).toBe('guard_unavailable')
  expect(await call(identifier, text)).toBe('guard_unavailable')
  expect(stub.reviews).toHaveLength(1)
  const { inspect } = await import('node:util')
  expect(inspect(lines, { depth: 9 })).toMatch(/token_review_failed/)
  expect(inspect(lines, { depth: 9 })).not.toContain(text.slice(0, 20))
  stub.answer = answer
  await sleep(1050)
  expect(await call(identifier, text)).toBe(SUBJECT)
})

test('options that cannot work are refused at start', () => {
  const build = (options: ServiceAccountOptions) => () =>
    serviceAccountIdentifier(options, { meter: noMeter, log: noLog })
  expect(build({ audiences: [] })).toThrow(/audiences/)
  expect(build({ audiences: ['a'], cacheS: 61 })).toThrow(/cacheS/)
  expect(build({ audiences: ['a'], refusalCacheS: 11 })).toThrow(/refusalCacheS/)
})
