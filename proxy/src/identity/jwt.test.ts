import { afterEach, expect, test } from '@jest/globals'
import { createHmac } from 'node:crypto'
import type { Identifier } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { jwtIdentifier } from './jwt.ts'
import type { JwtIssuerOptions, JwtOptions } from './jwt.ts'
import { bearer, claimsOf, newSigner, seconds, sign, startKeyServer } from './test/issuer.ts'
import type { KeyServer, Signer } from './test/issuer.ts'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

interface Setup {
  readonly signers?: readonly Signer[]
  readonly issuer?: Partial<JwtIssuerOptions>
  readonly options?: Partial<JwtOptions>
  readonly now?: () => number
}

const start = async ({ signers = [newSigner()], issuer = {}, options = {}, now = Date.now }: Setup = {}) => {
  const server = await startKeyServer(signers.map(({ jwk }) => jwk))
  const identifier = jwtIdentifier(
    {
      issuers: [
        {
          name: 'corp',
          issuer: server.url,
          audiences: ['models'],
          claims: { defaults: { tenant: 't' } },
          ...issuer,
        },
      ],
      ...options,
    },
    { meter: noMeter, log: noLog, now },
  )
  cleanups.push(
    () => identifier.close(),
    () => server.close(),
  )
  return { server, identifier, signer: signers[0]! }
}

const call = (identifier: Identifier, token: string) => identifier.identify(bearer(token))
const refused = (identifier: Identifier, token: string) =>
  expect(call(identifier, token)).rejects.toMatchObject({ name: 'Refusal', code: 'unauthenticated' })

const tokenFor = (server: KeyServer, signer: Signer, more: JsonObject = {}) =>
  sign(signer, claimsOf(server.url, more))

const tokenWith = (server: KeyServer, signer: Signer, header: Record<string, unknown>) =>
  sign(signer, claimsOf(server.url), header)

test.each(['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
  'a token signed with %s names its caller, the keys found by discovery',
  async (alg) => {
    const { server, identifier, signer } = await start({ signers: [newSigner(alg)] })
    const token = await tokenFor(server, signer, { scope: 'chat embed' })
    const caller = { subject: 'alice', tenant: 't', roles: [], scopes: ['chat', 'embed'], via: 'jwt:corp' }
    expect(await call(identifier, token)).toEqual(caller)
    expect(await call(identifier, token)).toEqual(caller)
    expect(server.requests).toEqual(['/.well-known/openid-configuration', '/keys'])
  },
)

test('claims are found by path, in arrays and in strings', async () => {
  const { server, identifier, signer } = await start({
    issuer: {
      claims: {
        subject: 'preferred_username',
        tenant: ['https://example.com/tenant'],
        roles: 'realm_access.roles',
        scopes: 'scp',
      },
    },
  })
  const token = await tokenFor(server, signer, {
    preferred_username: 'bob',
    'https://example.com/tenant': 'acme',
    realm_access: { roles: ['reader', 'writer'] },
    scp: ['chat'],
  })
  expect(await call(identifier, token)).toMatchObject({
    subject: 'bob',
    tenant: 'acme',
    roles: ['reader', 'writer'],
    scopes: ['chat'],
  })
})

test.each<[string, JsonObject]>([
  ['an overlong subject', { sub: 'a'.repeat(257) }],
  ['an empty subject', { sub: '' }],
  ['a numeric subject', { sub: 7 }],
  ['a subject with a line end', { sub: 'a\nb' }],
  ['a lone surrogate', { sub: '\ud800' }],
  ['65 roles', { roles: Array.from({ length: 65 }, (_, index) => `r${index}`) }],
  ['a role that is no string', { roles: ['a', 1] }],
  ['roles as an object', { roles: { admin: true } }],
  ['another audience', { aud: 'other' }],
  ['no matching audience of several', { aud: ['a', 'b'] }],
  ['an audience list with something else in it', { aud: ['models', 1] }],
  ['no end', { exp: null }],
  ['an end that is a string', { exp: '9999999999' }],
  ['an end beyond all times', { exp: 1e300 }],
  ['an end in the past', { exp: seconds() - 6 }],
  ['a start in the future', { nbf: seconds() + 60 }],
])('a token with %s is refused', async (_, more) => {
  const { server, identifier, signer } = await start({
    issuer: { claims: { roles: 'roles', defaults: { tenant: 't' } } },
  })
  await refused(identifier, await tokenFor(server, signer, more))
  expect(await call(identifier, await tokenFor(server, signer))).toMatchObject({ subject: 'alice' })
})

test('a token of an issuer that is not configured is left to others, also when its iss nearly matches', async () => {
  const { server, identifier, signer } = await start()
  for (const iss of [`${server.url}/`, server.url.toUpperCase(), 'https://evil.test', 7])
    expect(await call(identifier, await tokenFor(server, signer, { iss }))).toBeUndefined()
})

test('several issuers keep their keys apart', async () => {
  const [one, two] = [newSigner('ES256', 'same'), newSigner('ES256', 'same')]
  const [first, second] = [await startKeyServer([one.jwk]), await startKeyServer([two.jwk])]
  const common = { audiences: ['models'], claims: { defaults: { tenant: 't' } } }
  const identifier = jwtIdentifier(
    {
      issuers: [
        { name: 'one', issuer: first.url, ...common },
        { name: 'two', issuer: second.url, ...common },
      ],
    },
    { meter: noMeter, log: noLog },
  )
  cleanups.push(
    () => identifier.close(),
    () => first.close(),
    () => second.close(),
  )
  expect(await call(identifier, await tokenFor(first, one))).toMatchObject({ via: 'jwt:one' })
  expect(await call(identifier, await tokenFor(second, two))).toMatchObject({ via: 'jwt:two' })
  await refused(identifier, await tokenFor(first, two))
})

test('a public key is never taken for a shared secret, and none is no algorithm', async () => {
  const { server, identifier, signer } = await start({ signers: [newSigner('RS256')] })
  const forge = (header: object, mac: (input: string) => string) => {
    const input = [header, claimsOf(server.url)]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${input}.${mac(input)}`
  }
  const pem = Buffer.from(JSON.stringify(signer.jwk))
  for (const secret of [pem, Buffer.from(signer.jwk.n as string), Buffer.alloc(0)])
    await refused(
      identifier,
      forge({ alg: 'HS256', kid: signer.kid }, (input) =>
        createHmac('sha256', secret).update(input).digest('base64url'),
      ),
    )
  for (const alg of ['none', 'None', 'NONE', ''])
    await refused(
      identifier,
      forge({ alg, kid: signer.kid }, () => 'AA'),
    )
})

test('an algorithm that is not on the list is refused though the key could do it', async () => {
  const { server, identifier, signer } = await start({
    signers: [{ ...newSigner('RS256'), alg: 'PS256' }],
    issuer: { algorithms: ['RS256'] },
  })
  await refused(identifier, await tokenFor(server, signer))
})

test('a key is used only with the algorithm that the issuer gave it', async () => {
  const signer = newSigner('RS256')
  const { server, identifier } = await start({ signers: [signer] })
  await refused(identifier, await tokenFor(server, { ...signer, alg: 'PS256' }))
})

test('weak, private, symmetric and encryption keys do not verify', async () => {
  const { generateKeyPairSync } = await import('node:crypto')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const weakSigner = { ...newSigner('RS256', 'weak'), privateKey: weak.privateKey }
  const bad = [
    newSigner('ES256', 'enc'),
    newSigner('ES256', 'private'),
    newSigner('ES256', 'ops'),
    newSigner('ES256', 'alg'),
  ]
  const good = newSigner('ES256', 'good')
  const server = await startKeyServer([
    { ...(weak.publicKey.export({ format: 'jwk' }) as JsonObject), kid: 'weak', use: 'sig' },
    { ...bad[0]!.jwk, use: 'enc' },
    { ...bad[1]!.jwk, d: bad[1]!.privateKey.export({ format: 'jwk' }).d ?? '' },
    { ...bad[2]!.jwk, key_ops: ['sign'] },
    { ...bad[3]!.jwk, alg: 'HS256' },
    { kty: 'oct', k: 'AAAA', kid: 'oct', alg: 'HS256' },
    { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', kid: 'off-curve' },
    good.jwk,
  ])
  const identifier = jwtIdentifier(
    {
      issuers: [
        { name: 'corp', issuer: server.url, audiences: ['models'], claims: { defaults: { tenant: 't' } } },
      ],
    },
    { meter: noMeter, log: noLog },
  )
  cleanups.push(
    () => identifier.close(),
    () => server.close(),
  )
  expect(await call(identifier, await tokenFor(server, good))).toMatchObject({ subject: 'alice' })
  // jose itself does not sign with 1024 bits.
  const input = [{ alg: 'RS256', kid: 'weak' }, claimsOf(server.url)]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const { sign: signBytes } = await import('node:crypto')
  await refused(
    identifier,
    `${input}.${signBytes('sha256', Buffer.from(input), weakSigner.privateKey).toString('base64url')}`,
  )
  for (const signer of bad) await refused(identifier, await tokenFor(server, signer))
})

test('without a kid the only fitting key verifies, and two fitting keys are refused', async () => {
  const one = await start()
  expect(
    await call(one.identifier, await tokenWith(one.server, one.signer, { kid: undefined })),
  ).toBeDefined()
  const two = await start({ signers: [newSigner(), newSigner()] })
  await refused(two.identifier, await tokenWith(two.server, two.signer, { kid: undefined }))
})

test('leeway covers small clock differences and no more, also for remembered tokens', async () => {
  let now = Date.now()
  const { server, identifier, signer } = await start({ issuer: { leewayS: 30 }, now: () => now })
  const exp = Math.floor(now / 1000) + 100
  const token = await tokenFor(server, signer, { exp, nbf: exp - 50 })
  for (const [at, good] of [
    [exp - 81, false],
    [exp - 80, true],
    [exp + 29, true],
    [exp + 30, false],
    [exp - 81, false],
    [exp - 10, true],
  ] as const) {
    now = at * 1000
    if (good) expect(await call(identifier, token)).toMatchObject({ subject: 'alice' })
    else await refused(identifier, token)
  }
})

test('an age limit counts from iat, also for remembered tokens', async () => {
  let now = Date.now()
  const { server, identifier, signer } = await start({ issuer: { maxAgeS: 60, leewayS: 0 }, now: () => now })
  const token = await tokenFor(server, signer, { iat: Math.floor(now / 1000) })
  expect(await call(identifier, token)).toBeDefined()
  now += 61_000
  await refused(identifier, token)
  now = Date.now()
  await refused(identifier, await tokenFor(server, signer, { iat: null }))
})

test('tokens for another purpose are refused by their typ', async () => {
  const { server, identifier, signer } = await start()
  for (const typ of ['dpop+jwt', 'logout+jwt', 'secevent+jwt', 'JWE'])
    await refused(identifier, await tokenWith(server, signer, { typ }))
  expect(await call(identifier, await tokenWith(server, signer, { typ: 'at+JWT' }))).toBeDefined()
  const strict = await start({ issuer: { typ: 'at+jwt' } })
  await refused(strict.identifier, await tokenFor(strict.server, strict.signer))
  expect(
    await call(
      strict.identifier,
      await tokenWith(strict.server, strict.signer, { typ: 'application/at+jwt' }),
    ),
  ).toBeDefined()
})

test('thumbprint hints pass only where they are allowed', async () => {
  const strict = await start()
  await refused(strict.identifier, await tokenWith(strict.server, strict.signer, { x5t: 'abc' }))
  const entra = await start({ issuer: { allowThumbprints: true } })
  expect(
    await call(entra.identifier, await tokenWith(entra.server, entra.signer, { x5t: 'abc' })),
  ).toBeDefined()
})

test('a changed signature, payload or header is refused, also right after the good token', async () => {
  const { server, identifier, signer } = await start()
  const token = await tokenFor(server, signer)
  expect(await call(identifier, token)).toBeDefined()
  const [header = '', payload = '', signature = ''] = token.split('.')
  const forged = Buffer.from(JSON.stringify(claimsOf(server.url, { sub: 'root' }))).toString('base64url')
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
  for (const text of [`${header}.${forged}.${signature}`, `${header}.${payload}.${flipped}`])
    await refused(identifier, text)
})

test('no error repeats a claim or the token', async () => {
  const { server, identifier, signer } = await start()
  const token = await tokenFor(server, signer, { sub: 'secret-subject', aud: 'secret-audience' })
  const error = await call(identifier, token).catch((thrown: unknown) => thrown)
  const { inspect } = await import('node:util')
  expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret-|eyJ/)
})

test('other credentials are left to other identifiers', async () => {
  const { identifier } = await start()
  for (const authorization of [
    'Basic YTpi',
    'Bearer',
    'Bearer ',
    'Bearer  x.y.z',
    'Bearer pk-123',
    'Bearer a.b.c.d.e',
    undefined,
  ])
    expect(await identifier.identify({ headers: { authorization }, certificate: undefined })).toBeUndefined()
})

test.each<[Partial<JwtIssuerOptions>, RegExp]>([
  [{ issuer: 'http://issuer.test' }, /https/],
  [{ issuer: 'https://user:pw@issuer.test' }, /https/],
  [{ jwksUrl: 'file:///etc/keys' }, /https/],
  [{ leewayS: 31 }, /leewayS/],
  [{ audiences: [] }, /audience/],
  [{ algorithms: ['HS256' as 'RS256'] }, /algorithms/],
  [{ algorithms: [] }, /algorithms/],
  [{ claims: {} }, /tenant/],
  [{ maxStaleS: 1 }, /maxStaleS/],
])('options that cannot work are refused at start: %j', (more, message) => {
  const issuer = {
    name: 'corp',
    issuer: 'https://issuer.test',
    audiences: ['a'],
    claims: { defaults: { tenant: 't' } },
    ...more,
  }
  expect(() => jwtIdentifier({ issuers: [issuer] }, { meter: noMeter, log: noLog })).toThrow(message)
})
