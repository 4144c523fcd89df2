import { createPrivateKey, createPublicKey, generateKeyPairSync, hash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { JsonObject } from '../core/json.ts'
import { readKeySet } from './key-set.ts'
import type { KeySource } from './key-source.ts'

export type SigningAlgorithm = 'ES256' | 'EdDSA'

export interface SigningKeysOptions {
  /** Of a key that is generated; ES256 when absent. */
  readonly algorithm?: SigningAlgorithm
  /** PEM (PKCS #8) of a P-256 or Ed25519 private key. Without it one is generated: its tokens end with this process. */
  readonly privateKey?: string
  /** PEM of public keys that signed before: published, so that their tokens stay good. */
  readonly previousKeys?: readonly string[]
  /** Seconds a replaced key stays published: as long as its last token may live. */
  readonly keptS: number
}

export interface SigningKeys extends KeySource {
  sign(claims: JsonObject): Promise<string>
  /** Public keys as a JWK set (RFC 7517), the signing one first. */
  jwks(): { readonly keys: readonly JsonObject[] }
  /** Signs with a new key from now on, given as PEM or generated. */
  rotate(privateKey?: string): void
}

interface PublishedKey {
  readonly jwk: JsonObject
  /** Seconds on the monotonic clock; Infinity for the key in use. */
  readonly until: number
}

const MAX_PUBLISHED = 8

/** Keys of an issuer inside this process. Throws an Error that says what to change for a key of another kind. */
export const signingKeys = (options: SigningKeysOptions): SigningKeys => {
  const elapsedS = () => performance.now() / 1000
  let epoch = 0
  let current = privateKeyOf(options.privateKey, options.algorithm)
  let replaced: readonly PublishedKey[] = (options.previousKeys ?? []).map((pem) => ({
    jwk: jwkOf(createPublicKey(pem)),
    until: elapsedS() + options.keptS,
  }))
  const publish = () => ({ keys: [jwkOf(current), ...replaced.map(({ jwk }) => jwk)] })
  let published = publish()
  let verifying = readKeySet(published, ['ES256', 'EdDSA'])
  const update = (): void => {
    published = publish()
    verifying = readKeySet(published, ['ES256', 'EdDSA'])
  }
  const drop = (): void => {
    const kept = replaced.filter(({ until }) => elapsedS() < until).slice(-MAX_PUBLISHED)
    if (kept.length === replaced.length) return
    epoch += 1
    replaced = kept
    update()
  }
  return {
    sign: (claims) => {
      const { alg, kid } = jwkOf(current) as { alg: string; kid: string }
      return new SignJWT({ ...claims }).setProtectedHeader({ alg, kid, typ: 'at+jwt' }).sign(current)
    },
    jwks: () => {
      drop()
      return published
    },
    rotate: (pem) => {
      const next = privateKeyOf(pem, options.algorithm)
      replaced = [...replaced, { jwk: jwkOf(current), until: elapsedS() + options.keptS }]
      current = next
      update()
      drop()
    },
    epoch: () => {
      drop()
      return epoch
    },
    find: (header) => {
      drop()
      return Promise.resolve(verifying.select(header))
    },
    close: () => Promise.resolve(),
  }
}

const privateKeyOf = (pem: string | undefined, algorithm: SigningAlgorithm = 'ES256'): KeyObject => {
  const key = pem === undefined ? generated(algorithm) : readPrivateKey(pem)
  jwkOf(key)
  return key
}

const readPrivateKey = (pem: string): KeyObject => {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new Error('local issuer: the signing key is not an unencrypted private key in PEM', { cause })
  }
}

const generated = (algorithm: SigningAlgorithm): KeyObject =>
  algorithm === 'EdDSA'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** The public half. The kid is the RFC 7638 thumbprint, whose members stand in alphabetical order. */
const jwkOf = (key: KeyObject): JsonObject => {
  const { crv, kty, x, y } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  const alg = crv === 'P-256' ? 'ES256' : crv === 'Ed25519' ? 'EdDSA' : undefined
  if (alg === undefined || kty === undefined || x === undefined)
    throw new Error('local issuer: a signing key must be a P-256 or an Ed25519 key')
  const members = { crv: crv ?? '', kty, x, ...(y === undefined ? {} : { y }) }
  return { ...members, kid: hash('sha256', JSON.stringify(members), 'base64url'), alg, use: 'sig' }
}
