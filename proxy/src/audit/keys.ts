import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export interface Signer {
  /** First 16 hex digits of the SHA-256 of the public key's SPKI DER. */
  readonly keyId: string
  /** SPKI, PEM. */
  readonly publicPem: string
  /** Ed25519, base64: 88 characters. */
  sign(message: string): string
}

/** Undefined for a key that is not known; else whether the signature is right. */
export type Verifier = (keyId: string, message: string, signature: string) => boolean | undefined

/** Throws an Error that says what to do unless `pem` is an Ed25519 private key in PKCS#8. */
export const signerFrom = (pem: string): Signer => {
  const key = privateKey(pem)
  const publicKey = createPublicKey(key)
  return {
    keyId: keyIdOf(publicKey),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (message) => sign(null, Buffer.from(message), key).toString('base64'),
  }
}

/** A new private key: PKCS#8, PEM. */
export const newPrivateKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Takes one or more public keys in PEM, such as an old one and its successor. Throws an Error when one is not Ed25519. */
export const verifierFrom = (pems: string): Verifier => {
  const keys = new Map<string, KeyObject>()
  for (const pem of publicPems(pems)) {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('The audit public key must be Ed25519.')
    keys.set(keyIdOf(key), key)
  }
  if (keys.size === 0) throw new Error('There is no PEM public key in what was given for verifying.')
  return (keyId, message, signature) => {
    const key = keys.get(keyId)
    const bytes = Buffer.from(signature, 'base64')
    // One spelling only: base64 has characters whose last bits do not count.
    return key && bytes.toString('base64') === signature && verify(null, Buffer.from(message), key, bytes)
  }
}

export const publicPems = (text: string): readonly string[] =>
  text.match(/-----BEGIN PUBLIC KEY-----[^-]{1,4096}-----END PUBLIC KEY-----/g) ?? []

const privateKey = (pem: string): KeyObject => {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // The cause could quote the key.
  }
  throw new Error(
    'The audit signing key must be an Ed25519 private key in PKCS#8 PEM: openssl genpkey -algorithm ed25519',
  )
}

/** First 16 hex digits of the SHA-256 of the SPKI DER. */
export const keyIdOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
