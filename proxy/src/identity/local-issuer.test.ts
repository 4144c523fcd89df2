import { beforeAll, expect, test } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import type { Account } from './accounts.ts'
import { localIssuer } from './local-issuer.ts'
import type { IssuedToken, LocalIssuerOptions } from './local-issuer.ts'
import { hashPassword, isPasswordOf, readPasswordHash } from './password.ts'
import { bearer } from './test/issuer.ts'

const base: LocalIssuerOptions = { issuer: 'https://guard.test', audience: 'models', users: [], clients: [] }
const account = { tenant: 'acme', roles: ['reader'], scopes: ['chat', 'embed'] }
let user: Account
let client: Account

// The cheapest hash that is accepted keeps the tests fast.
const cheapHash = async (password: string) => {
  const { scryptSync } = await import('node:crypto')
  const salt = Buffer.alloc(16, 7)
  const hash = scryptSync(password, salt, 32, { N: 2 ** 14, r: 8, p: 1 })
  return `scrypt$16384$8$1$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

beforeAll(async () => {
  user = { name: 'ann', password: await cheapHash('correct horse'), ...account }
  client = { name: 'batch', password: await cheapHash('s3cret:&'), ...account }
})

const start = (more: Partial<LocalIssuerOptions> = {}, now = Date.now) =>
  localIssuer({ ...base, users: [user], clients: [client], ...more }, { now })

const pem = (key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) =>
  key.export({ type: 'pkcs8', format: 'pem' }) as string

test('a login gives a token that the published keys verify and that names its caller', async () => {
  const issuer = start()
  const issued = await issuer.auth({ username: 'ann', password: 'correct horse' })
  expect(issued).toMatchObject({ token_type: 'Bearer', expires_in: 900, scope: 'chat embed' })
  const verified = await jwtVerify(
    issued.access_token,
    createLocalJWKSet({ keys: [...issuer.jwks().keys] as never[] }),
    {
      issuer: 'https://guard.test',
      audience: 'models',
      typ: 'at+jwt',
      requiredClaims: ['client_id', 'jti', 'iat', 'exp', 'sub'],
    },
  )
  expect(verified.payload).toMatchObject({ sub: 'ann', tenant: 'acme' })
  expect(await issuer.identifier.identify(bearer(issued.access_token))).toEqual({
    subject: 'ann',
    tenant: 'acme',
    roles: ['reader'],
    scopes: ['chat', 'embed'],
    via: 'local',
  })
})

test('published keys hold nothing private', () => {
  for (const algorithm of ['ES256', 'EdDSA'] as const) {
    const { keys } = start({ algorithm }).jwks()
    expect(keys).toHaveLength(1)
    expect(keys[0]).toMatchObject({ alg: algorithm, use: 'sig' })
    expect(keys[0]).not.toHaveProperty('d')
  }
})

test('wrong passwords, unknown users and clients at the users door get the same refusal', async () => {
  const issuer = start({ freeFailures: 100 })
  const logins = [
    { username: 'ann', password: 'wrong' },
    { username: 'nobody', password: 'correct horse' },
    { username: 'batch', password: 's3cret:&' },
    { username: 'ann', password: '' },
  ]
  const answers = await Promise.all(
    logins.map((login) => issuer.auth(login).catch((error: unknown) => error)),
  )
  for (const answer of answers)
    expect(answer).toMatchObject({
      code: 'unauthenticated',
      details: [],
      headers: { 'www-authenticate': expect.any(String) },
    })
})

test.each([
  null,
  [],
  {},
  { username: 'ann' },
  { username: 1, password: 'x' },
  { username: '', password: 'x' },
  { username: 'a'.repeat(257), password: 'x' },
  { username: 'ann', password: 'x'.repeat(1025) },
  { username: 'ann', password: 'x', admin: true },
])('the login %j is no login', async (body) => {
  await expect(start().auth(body)).rejects.toMatchObject({ code: 'body_invalid' })
})

test('guessing has to wait, for users that do not exist too', async () => {
  const issuer = start({ freeFailures: 2 })
  for (const username of ['ann', 'nobody']) {
    for (let tries = 0; tries < 2; tries++)
      await expect(issuer.auth({ username, password: 'wrong' })).rejects.toMatchObject({
        code: 'unauthenticated',
      })
    await expect(issuer.auth({ username, password: 'correct horse' })).rejects.toMatchObject({
      code: 'rate_limited',
      headers: { 'retry-after': '1' },
    })
  }
})

test('waits double up to their bound, and a success forgets them', async () => {
  let now = 0
  const issuer = start({ freeFailures: 1, maxWaitS: 5, elapsedS: () => now })
  const waits: string[] = []
  for (let tries = 0; tries < 5; tries++) {
    await issuer.auth({ username: 'ann', password: 'wrong' }).catch(() => undefined)
    const error = await issuer.auth({ username: 'ann', password: 'wrong' }).catch((thrown: unknown) => thrown)
    waits.push((error as { headers: Record<string, string> }).headers['retry-after']!)
    now += Number(waits.at(-1))
  }
  expect(waits).toEqual(['1', '2', '4', '5', '5'])
  expect(await issuer.auth({ username: 'ann', password: 'correct horse' })).toBeDefined()
  await expect(issuer.auth({ username: 'ann', password: 'wrong' })).rejects.toMatchObject({
    code: 'unauthenticated',
  })
})

test('a flood over many names is slowed down as a whole, and hashing is bounded', async () => {
  const flood = (issuer: ReturnType<typeof start>, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        issuer
          .auth({ username: `u${index}`, password: 'x' })
          .catch((error: unknown) => (error as { code: string }).code),
      ),
    )
  const slow = await flood(start({ attemptsPerSecond: 2, elapsedS: () => 0 }), 10)
  expect(slow.filter((code) => code === 'unauthenticated')).toHaveLength(4)
  expect(slow.filter((code) => code === 'rate_limited')).toHaveLength(6)
  const narrow = await flood(start({ attemptsPerSecond: 100, maxHashing: 1, maxWaiting: 2 }), 10)
  expect(narrow.filter((code) => code === 'unauthenticated')).toHaveLength(3)
  expect(narrow.filter((code) => code === 'rate_limited')).toHaveLength(7)
})

const basic = (id: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
const posted = 'grant_type=client_credentials&client_id=batch&client_secret=s3cret%3A%26'

test('a client gets a token by form or by header, with the scopes it asked for', async () => {
  const issuer = start()
  const all = await issuer.token(posted, undefined)
  expect(all).toMatchObject({
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: { scope: 'chat embed' },
  })
  const some = await issuer.token('grant_type=client_credentials&scope=chat', basic('batch', 's3cret:&'))
  expect(some).toMatchObject({ status: 200, body: { scope: 'chat' } })
  const { access_token: token } = some.body as IssuedToken
  expect(await issuer.identifier.identify(bearer(token))).toMatchObject({
    subject: 'batch',
    scopes: ['chat'],
  })
})

test.each<[string, string | undefined, string]>([
  [posted.replace('s3cret', 'wrong'), undefined, '401 invalid_client'],
  [posted.replace('batch', 'nobody'), undefined, '401 invalid_client'],
  [
    'grant_type=client_credentials&client_id=ann&client_secret=correct+horse',
    undefined,
    '401 invalid_client',
  ],
  ['grant_type=client_credentials', undefined, '401 invalid_client'],
  ['grant_type=client_credentials&client_id=batch&client_secret=', undefined, '401 invalid_client'],
  ['grant_type=client_credentials', basic('batch', 'wrong'), '401 invalid_client'],
  ['grant_type=client_credentials', 'Basic !!!', '401 invalid_client'],
  ['grant_type=client_credentials', 'Bearer x', '401 invalid_client'],
  ['grant_type=client_credentials', `Basic ${Buffer.from('batch').toString('base64')}`, '401 invalid_client'],
  [posted, basic('batch', 's3cret:&'), '400 invalid_request'],
  ['grant_type=client_credentials&client_id=other', basic('batch', 's3cret:&'), '400 invalid_request'],
  [`${posted}&client_id=batch`, undefined, '400 invalid_request'],
  [`${posted}&x=%zz`, undefined, '400 invalid_request'],
  [`${posted}&x=${'y'.repeat(4096)}`, undefined, '400 invalid_request'],
  ['client_id=batch&client_secret=s3cret%3A%26', undefined, '400 invalid_request'],
  ['', undefined, '400 invalid_request'],
  [posted.replace('client_credentials', 'password'), undefined, '400 unsupported_grant_type'],
  [`${posted}&scope=admin`, undefined, '400 invalid_scope'],
  [`${posted}&scope=chat+admin`, undefined, '400 invalid_scope'],
])('the token request %s with %s is answered %s', async (form, authorization, expected) => {
  const answer = await start().token(form, authorization)
  expect(answer.body).toMatchObject({ error: expect.any(String), error_description: expect.any(String) })
  expect(`${answer.status} ${(answer.body as { error: string }).error}`).toBe(expected)
  const challenge =
    authorization !== undefined && expected === '401 invalid_client' ? 'Basic realm="postern"' : undefined
  expect(answer.headers['www-authenticate']).toBe(challenge)
})

test('after a rotation old tokens stay good until they end, and both keys are published', async () => {
  const issuer = start({ privateKey: pem() })
  const before = await issuer.issue({ name: 'ann', ...account })
  issuer.rotate(pem())
  const after = await issuer.issue({ name: 'ann', ...account })
  const kids = [after, before].map((issued) => decodeProtectedHeader(issued.access_token).kid)
  expect(issuer.jwks().keys.map(({ kid }) => kid)).toEqual(kids)
  expect(new Set(kids).size).toBe(2)
  for (const { access_token: token } of [before, after])
    expect(await issuer.identifier.identify(bearer(token))).toMatchObject({ subject: 'ann' })
})

test('a key given with the previous one accepts its tokens after a restart', async () => {
  const old = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const before = await start({ privateKey: pem(old.privateKey) }).issue({ name: 'ann', ...account })
  const previous = old.publicKey.export({ type: 'spki', format: 'pem' }) as string
  const restarted = start({
    privateKey: pem(generateKeyPairSync('ed25519').privateKey),
    previousKeys: [previous],
  })
  expect(await restarted.identifier.identify(bearer(before.access_token))).toMatchObject({ subject: 'ann' })
  await expect(start().identifier.identify(bearer(before.access_token))).rejects.toMatchObject({
    code: 'unauthenticated',
  })
})

test('tokens end', async () => {
  let now = Date.now()
  const issuer = start({ lifetimeS: 60 }, () => now)
  const { access_token: token } = await issuer.issue({ name: 'ann', ...account })
  expect(await issuer.identifier.identify(bearer(token))).toBeDefined()
  now += 66_000
  await expect(issuer.identifier.identify(bearer(token))).rejects.toMatchObject({ code: 'unauthenticated' })
})

test.each<[string, Partial<LocalIssuerOptions>, RegExp]>([
  ['a lifetime of a day', { lifetimeS: 86_400 }, /lifetimeS/],
  [
    'an RSA key',
    { privateKey: pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) },
    /P-256/,
  ],
  ['a key that is none', { privateKey: 'hello' }, /PEM/],
  ['a plain password', { users: [{ name: 'bob', password: 'hello', ...account }] }, /bob must be/],
  ['a scope with a blank', { users: [{ name: 'bob', password: 'x', ...account, scopes: ['a b'] }] }, /blank/],
])('%s is refused at start', (_, more, message) => {
  expect(() => start(more)).toThrow(message)
})

test('a user and a client may not share a name', () => {
  expect(() => start({ clients: [{ ...client, name: 'ann' }] })).toThrow(/same/)
})

test('a password is known again by its hash only, in either Unicode form', async () => {
  const stored = await hashPassword('pässword')
  expect(stored).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
  const hash = readPasswordHash(stored)!
  expect(await isPasswordOf('pässword'.normalize('NFD'), hash)).toBe(true)
  expect(await isPasswordOf('password', hash)).toBe(false)
  await expect(hashPassword('')).rejects.toThrow(RangeError)
  await expect(hashPassword('ä'.repeat(513))).rejects.toThrow(RangeError)
})

test.each([
  '',
  'scrypt$16384$8$1$AA$AA',
  'scrypt$1024$8$1$',
  'scrypt$16385$8$1$',
  'scrypt$262144$8$1$',
  'scrypt$65536$16$1$',
  'scrypt$32768$8$99$',
  'scrypt$16384$0$1$',
  'bcrypt$16384$8$1$',
])('the password hash %s is refused: malformed, too weak or too costly', (start) => {
  expect(readPasswordHash(`${start}${'A'.repeat(22)}$${'A'.repeat(43)}`)).toBeUndefined()
})
