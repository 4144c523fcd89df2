import { createPublicKey, hash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { JwsHeader } from './compact-jws.ts'

const MAX_KEYS = 64
const MAX_KID = 256
const RSA_BITS = { min: 2048, max: 8192 }

/** Signature algorithms by the key they need. Symmetric ones and `none` do not exist here, so a public key can never be taken for a secret. */
const algorithmsByKey = {
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA', 'Ed25519'],
} as const

export type Algorithm = (typeof algorithmsByKey)[keyof typeof algorithmsByKey][number]

export const ALGORITHMS: readonly Algorithm[] = Object.values(algorithmsByKey).flat()

/** The public keys of an issuer that may verify signatures. */
export interface KeySet {
  /** One per key: kid and key material. A key swapped under the same kid is another key. */
  readonly fingerprints: ReadonlySet<string>
  knows(kid: string): boolean
  /** The only key that fits `kid` (when given) and `alg`; undefined for none and for several. */
  select(header: JwsHeader): KeyObject | undefined
}

interface Key {
  readonly kid: string | undefined
  readonly algorithms: ReadonlySet<string>
  readonly key: KeyObject
  readonly fingerprint: string
}

/**
 * Reads a JWK set (RFC 7517), strictly: at most 64 keys. Keys for another use or algorithm, private and symmetric keys,
 * RSA keys under 2048 or over 8192 bits or with the ROCA flaw, and points off their curve are left out. Throws an Error when none is left.
 */
export const readKeySet = (document: JsonObject, allowed: readonly Algorithm[]): KeySet => {
  const { keys: entries } = document
  if (!Array.isArray(entries)) throw new Error('key set has no keys member')
  if (entries.length > MAX_KEYS) throw new Error(`key set has more than ${MAX_KEYS} keys`)
  const keys = (entries as readonly Json[])
    .map((entry) => readKey(entry, allowed))
    .filter((key) => key !== undefined)
  if (keys.length === 0) throw new Error('key set has no usable key')
  return keySetOf([...new Map(keys.map((key) => [key.fingerprint, key])).values()])
}

const keySetOf = (keys: readonly Key[]): KeySet => ({
  fingerprints: new Set(keys.map((key) => key.fingerprint)),
  knows: (kid) => keys.some((key) => key.kid === kid),
  select: ({ kid, alg }) => {
    const fitting = keys.filter((key) => (kid === undefined || key.kid === kid) && key.algorithms.has(alg))
    return fitting.length === 1 ? fitting[0]?.key : undefined
  },
})

const readKey = (jwk: Json, allowed: readonly Algorithm[]): Key | undefined => {
  if (!isObject(jwk) || !isPublicSignatureKey(jwk)) return undefined
  const { kid, alg } = jwk
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID)) return undefined
  const key = importKey(jwk)
  if (key === undefined) return undefined
  const algorithms = algorithmsOf(key, jwk).filter(
    (name) => allowed.includes(name) && (alg === undefined || alg === name),
  )
  if (algorithms.length === 0) return undefined
  const der = key.export({ type: 'spki', format: 'der' }).toString('base64')
  return { kid, algorithms: new Set(algorithms), key, fingerprint: hash('sha256', `${kid ?? ''}\n${der}`) }
}

// A private key in a public place is known to everyone: whatever it signs proves nothing.
const isPublicSignatureKey = (jwk: JsonObject): boolean =>
  !('d' in jwk) &&
  !('k' in jwk) &&
  (jwk.use === undefined || jwk.use === 'sig') &&
  (jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes('verify')))

const importKey = ({ kty, crv, n, e, x, y }: JsonObject): KeyObject | undefined => {
  const members = Object.entries({ kty, crv, n, e, x, y }).filter(([, value]) => typeof value === 'string')
  try {
    return createPublicKey({ key: Object.fromEntries(members), format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Generated keys of a broken chip library are powers of 65537 modulo every small prime (CVE-2017-15361); others are not, but for one in 2^27. */
const isRoca = (modulus: string): boolean => {
  const n = BigInt(`0x${Buffer.from(modulus, 'base64url').toString('hex')}`)
  return ROCA_PRIMES.every((prime) => {
    const wanted = Number(n % BigInt(prime))
    let power = 1
    do power = (power * 65_537) % prime
    while (power !== 1 && power !== wanted)
    return power === wanted
  })
}

const ROCA_PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
] as const

const algorithmsOf = (key: KeyObject, { kty, crv, n }: JsonObject): readonly Algorithm[] => {
  if (kty === 'RSA') return isSoundRsa(key) && !isRoca(n as string) ? algorithmsByKey.RSA : []
  return typeof crv === 'string' && crv !== 'RSA' && Object.hasOwn(algorithmsByKey, crv)
    ? algorithmsByKey[crv as keyof typeof algorithmsByKey]
    : []
}

// An exponent of 1 makes every message its own signature; a huge one makes verification slow.
const isSoundRsa = ({ asymmetricKeyDetails }: KeyObject): boolean => {
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
  const soundLength = modulusLength >= RSA_BITS.min && modulusLength <= RSA_BITS.max
  return soundLength && publicExponent >= 3n && publicExponent < 2n ** 33n && publicExponent % 2n === 1n
}
