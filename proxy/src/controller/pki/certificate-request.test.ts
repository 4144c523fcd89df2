import 'reflect-metadata'
import { expect, test } from '@jest/globals'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { webcrypto, X509Certificate } from 'node:crypto'
import { MAX_REQUEST, RequestError, requestedKey } from './certificate-request.ts'
import { newAuthority, signLeaf } from './x509.ts'

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
}

const keysOf = (algorithm: { readonly name: string }): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm as never, true, ['sign', 'verify'])

const request = async (algorithm: { readonly name: string }, keys?: webcrypto.CryptoKeyPair) => {
  const made = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=admin',
    keys: keys ?? (await keysOf(algorithm)),
    signingAlgorithm: algorithm,
  })
  return made
}

const pem = (der: ArrayBuffer): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`

test.each([
  ['EC P-256', EC],
  ['Ed25519', { name: 'Ed25519' }],
])('a certificate for a key on %s has the names that we say, and verifies', async (_, algorithm) => {
  const made = await request(algorithm)
  const publicKey = await requestedKey(made.toString('pem'))
  const now = Date.now()
  const life = { notBefore: new Date(now - 1000), notAfter: new Date(now + 60_000) }
  const authority = await newAuthority({ trustDomain: 'test.local', ...life })
  const issued = new X509Certificate(
    await signLeaf(authority, {
      publicKey,
      names: { dns: ['model.team.svc'], uri: 'spiffe://test.local/ns/team/sa/model' },
      notBefore: life.notBefore,
      notAfter: new Date(now + 3_600_000),
      usage: ['client', 'server'],
    }),
  )
  const ca = new X509Certificate(authority.certificate)
  expect(issued.checkIssued(ca) && issued.verify(ca.publicKey)).toBe(true)
  expect(issued.publicKey.export({ type: 'spki', format: 'der' })).toEqual(publicKey)
  expect(issued.subjectAltName).toBe('URI:spiffe://test.local/ns/team/sa/model, DNS:model.team.svc')
  expect(issued.subject).toBeFalsy()
  expect(issued.ca).toBe(false)
  expect(issued.validTo).toBe(ca.validTo)
})

test.each([
  ['RSA', RSA, /EC P-256 or Ed25519/],
  ['P-384', { ...EC, namedCurve: 'P-384' }, /EC P-256 or Ed25519/],
  ['SHA-1', { ...EC, hash: 'SHA-1' }, /SHA-256 or better|cannot be read/],
])('a request with %s is refused', async (_, algorithm, message) => {
  const made = (await request(algorithm)).toString('pem')
  await expect(requestedKey(made)).rejects.toThrow(RequestError)
  await expect(requestedKey(made)).rejects.toThrow(message)
})

test('a request that another key has signed is refused', async () => {
  const stranger = await keysOf(EC)
  const victim = await keysOf(EC)
  const made = await request(EC, { publicKey: victim.publicKey, privateKey: stranger.privateKey })
  await expect(requestedKey(made.toString('pem'))).rejects.toThrow('not signed by the key that it holds')
})

test('a point that is not on the curve is refused', async () => {
  const der = Buffer.from((await request(EC)).rawData)
  const at = der.indexOf(Buffer.from('034200', 'hex')) + 10
  der[at] = (der[at] ?? 0) ^ 1
  await expect(requestedKey(pem(new Uint8Array(der).buffer))).rejects.toThrow(RequestError)
})

test.each([
  ['nothing', ''],
  ['no PEM', 'hello'],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ['no DER', pem(new Uint8Array([1, 2, 3]).buffer)],
  ['deep DER', pem(new Uint8Array(3000).fill(0x30).buffer)],
  ['too much', pem(new Uint8Array(MAX_REQUEST).buffer)],
])('%s instead of a request is refused with a sentence that quotes nothing', async (_, body) => {
  await expect(requestedKey(body)).rejects.toThrow(RequestError)
})
