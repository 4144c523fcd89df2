import { expect, test } from '@jest/globals'
import type { Caller, Identifier, PeerCertificate } from '../core/caller.ts'
import type { Meter } from '../core/metrics.ts'
import { noMeter } from '../core/metrics.ts'
import { anonymousIdentifier } from './anonymous.ts'
import { apiKeyIdentifier, newApiKey } from './api-key.ts'
import { certificateIdentifier } from './certificate.ts'
import { identify } from './identify.ts'
import { localIssuer } from './local-issuer.ts'

const { key, hash } = newApiKey()
const account = { name: 'ann', tenant: 't', roles: ['reader'], scopes: [] }
const issuer = localIssuer({ issuer: 'https://guard.test', audience: 'models', users: [], clients: [] }, {})
const apiKeys = apiKeyIdentifier({ keys: [{ hash, subject: 'batch', tenant: 't', roles: [] }] })
const certificates = certificateIdentifier({ subject: 'dns', defaultTenant: 't' })
const certificate = {
  subjectAltName: 'DNS:app.test',
  subjectCommonName: 'x',
  fingerprint256: '',
  validTo: Infinity,
}

interface More {
  readonly certificate?: PeerCertificate
  readonly meter?: Meter
}

const ask = (identifiers: readonly Identifier[], headers: Record<string, string>, more: More = {}) =>
  identify(identifiers, { meter: more.meter ?? noMeter })({ headers, certificate: more.certificate })

test('the first identifier that knows the credential decides, whatever the order', async () => {
  const token = (await issuer.issue(account)).access_token
  for (const chain of [
    [apiKeys, issuer.identifier],
    [issuer.identifier, apiKeys],
  ]) {
    expect(await ask(chain, { authorization: `Bearer ${token}` })).toMatchObject({
      subject: 'ann',
      via: 'local',
    })
    expect(await ask(chain, { authorization: `Bearer ${key}` })).toMatchObject({
      subject: 'batch',
      via: 'api-key',
    })
  }
})

test('between a certificate and a token the configured order decides, and a bad token is no way round', async () => {
  const token = (await issuer.issue(account)).access_token
  const headers = { authorization: `Bearer ${token}` }
  expect(await ask([issuer.identifier, certificates], headers, { certificate })).toMatchObject({
    via: 'local',
  })
  expect(await ask([certificates, issuer.identifier], headers, { certificate })).toMatchObject({
    via: 'certificate',
  })
  expect(await ask([issuer.identifier, certificates], {}, { certificate })).toMatchObject({
    via: 'certificate',
  })
  const bad = { authorization: `Bearer ${token.slice(0, -4)}AAAA` }
  await expect(ask([issuer.identifier, certificates], bad, { certificate })).rejects.toMatchObject({
    code: 'unauthenticated',
  })
})

test('more than one credential header is refused as ambiguous', async () => {
  for (const headers of [
    { authorization: `Bearer ${key}`, 'x-api-key': key },
    { 'x-api-key': key, 'api-key': key },
  ])
    await expect(ask([apiKeys], headers)).rejects.toMatchObject({ code: 'headers_invalid' })
})

test('nothing presented is challenged without an error, a bad credential with one', async () => {
  await expect(ask([apiKeys, certificates], {})).rejects.toMatchObject({
    code: 'unauthenticated',
    headers: { 'www-authenticate': 'Bearer realm="postern"' },
  })
  const xApiKey = apiKeyIdentifier({ keys: [], headers: ['x-api-key'] })
  await expect(ask([issuer.identifier, xApiKey], {})).rejects.toMatchObject({
    headers: { 'www-authenticate': 'Bearer realm="postern", ApiKey realm="postern"' },
  })
  for (const authorization of ['Bearer nonsense', 'Basic YTpi', `Bearer ${newApiKey().key}`])
    await expect(ask([issuer.identifier, apiKeys], { authorization })).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="postern", error="invalid_token"' },
    })
})

test('a 401 has a challenge even where only certificates are known', async () => {
  await expect(ask([certificates], {})).rejects.toMatchObject({
    headers: { 'www-authenticate': expect.stringMatching(/./) },
  })
})

test('an identifier that fails is a refusal and ends the chain', async () => {
  const broken: Identifier = { ...apiKeys, name: 'broken', identify: () => Promise.reject(new Error('boom')) }
  await expect(ask([broken, anonymousIdentifier({ tenant: 't', roles: [] })], {})).rejects.toMatchObject({
    code: 'guard_failed',
  })
  const thrower: Identifier = {
    ...broken,
    identify: () => {
      throw new Error('boom')
    },
  }
  await expect(ask([thrower], {})).rejects.toMatchObject({ code: 'guard_failed' })
})

test('a caller outside the bounds is refused, whoever vouched for it', async () => {
  const lax = (caller: Caller): Identifier => ({ ...apiKeys, identify: () => Promise.resolve(caller) })
  const good = { subject: 's', tenant: 't', roles: [], scopes: [], via: 'v' }
  expect(await ask([lax(good)], {})).toEqual(good)
  for (const wrong of [
    { subject: '' },
    { tenant: 'a\u0000' },
    { roles: Array<string>(65).fill('r') },
    { via: 'v'.repeat(257) },
  ])
    await expect(ask([lax({ ...good, ...wrong })], {})).rejects.toMatchObject({ code: 'unauthenticated' })
})

test('results are counted by identifier', async () => {
  const counted: string[] = []
  const meter: Meter = { ...noMeter, add: (_, __, ...labels) => counted.push(labels.join(' ')) }
  await ask([apiKeys], { 'x-api-key': key }, { meter })
  await ask([apiKeys], { 'x-api-key': 'wrong' }, { meter }).catch(() => undefined)
  await ask([apiKeys], { authorization: 'Bearer other' }, { meter }).catch(() => undefined)
  expect(counted).toEqual(['api-key accepted', 'api-key refused', 'none refused'])
})

test('anonymous is everyone, and comes last', async () => {
  const anonymous = anonymousIdentifier({ tenant: 'dev', roles: ['reader'] })
  expect(await ask([apiKeys, anonymous], {})).toEqual({
    subject: 'anonymous',
    tenant: 'dev',
    roles: ['reader'],
    scopes: [],
    via: 'anonymous',
  })
  await expect(ask([apiKeys, anonymous], { 'x-api-key': 'wrong' })).rejects.toMatchObject({
    code: 'unauthenticated',
  })
  expect(() => identify([anonymous, apiKeys], { meter: noMeter })).toThrow(/last/)
})

test('a chain that cannot work is refused at start', () => {
  expect(() => identify([], { meter: noMeter })).toThrow(/at least one/)
  expect(() => identify([apiKeys, apiKeys], { meter: noMeter })).toThrow(/same name/)
})
