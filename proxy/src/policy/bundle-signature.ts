import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { compactVerify, errors } from 'jose'

/** A public key that bundles may be signed with, and the one algorithm that it is used for. */
export interface BundleKey {
  readonly key: KeyObject
  readonly algorithm: 'ES256' | 'RS256' | 'EdDSA'
}

export interface BundleKeys {
  readonly keys: readonly BundleKey[]
  /** The claim `scope` that the signature must have. It must have none when absent, as with OPA. */
  readonly scope?: string
}

export interface BundleSignature {
  /** Seconds since the epoch, from the claim `iat`. OPA's own tools write none. */
  readonly issuedAt?: number
}

const SIGNATURES = '.signatures.json'
const MAX_SIGNATURES_BYTES = 2 * 1024 * 1024
const MAX_KEYS_CHARACTERS = 64 * 1024
const MAX_KEYS = 8
const MIN_RSA_BITS = 2048
const MAX_DEPTH = 256

const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
])

/**
 * The public keys in a PEM text: EC P-256 for ES256, RSA of 2048 bits or more for RS256, Ed25519 for EdDSA. Several keys may
 * stand one below the other while one takes over from another. Throws Error that says what is wrong with them.
 */
export const bundleKeys = (pem: string): readonly BundleKey[] => {
  if (pem.length > MAX_KEYS_CHARACTERS) throw new Error(`is longer than ${MAX_KEYS_CHARACTERS} characters`)
  if (pem.includes('PRIVATE KEY')) throw new Error('holds a private key: give the public key only')
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----/g) ?? []
  if (blocks.length === 0) throw new Error('holds no public key in PEM (-----BEGIN PUBLIC KEY-----)')
  if (blocks.length > MAX_KEYS) throw new Error(`holds more than ${MAX_KEYS} keys`)
  return blocks.map((block) => {
    const key = createPublicKey(block)
    return { key, algorithm: algorithmOf(key) }
  })
}

const algorithmOf = (key: KeyObject): BundleKey['algorithm'] => {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256'
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS) return 'RS256'
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  throw new Error('holds a key that is neither EC P-256 nor RSA of 2048 bits or more nor Ed25519')
}

/**
 * Checks `.signatures.json` of an OPA bundle, given as its files by path: one JWT by one of the keys, over exactly the other
 * files. A signature says who made a bundle, not that it is the newest: an older one stays valid.
 * Throws Error that says what does not fit; nothing of an unverified bundle may be used.
 */
export const verifyBundle = async (
  files: ReadonlyMap<string, Uint8Array>,
  keys: BundleKeys,
): Promise<BundleSignature> => {
  const { payload, issuedAt } = await verified(readToken(files.get(SIGNATURES)), keys)
  const listed = readListed(payload['files'])
  for (const [path, bytes] of files) {
    if (path === SIGNATURES) continue
    const entry = listed.get(path)
    if (entry === undefined) throw new Error(`${shown(path)}: is not in the signature`)
    if (digest(path, bytes, entry.algorithm) !== entry.hash)
      throw new Error(`${shown(path)}: is not as it was signed`)
    listed.delete(path)
  }
  const [missing] = listed.keys()
  if (missing !== undefined) throw new Error(`${shown(missing)}: was signed but is missing`)
  return issuedAt === undefined ? {} : { issuedAt }
}

const readToken = (bytes: Uint8Array | undefined): string => {
  if (bytes === undefined) throw new Error(`is not signed: has no ${SIGNATURES}`)
  if (bytes.length > MAX_SIGNATURES_BYTES)
    throw new Error(`${SIGNATURES}: is larger than ${MAX_SIGNATURES_BYTES} bytes`)
  const { signatures, plugin } = asObject(parse(SIGNATURES, bytes), SIGNATURES)
  if (plugin !== undefined && plugin !== '' && plugin !== '_default')
    throw new Error(`${SIGNATURES}: plugins are not supported`)
  const [token] = Array.isArray(signatures) ? (signatures as readonly unknown[]) : []
  if (typeof token !== 'string' || (signatures as readonly unknown[]).length !== 1)
    throw new Error(`${SIGNATURES}: must hold exactly one JWT`)
  // One spelling for one signature: jose would also read padding and blanks.
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Error(`${SIGNATURES}: is not a compact JWT`)
  return token
}

interface Verified {
  readonly payload: Readonly<Record<string, unknown>>
  readonly issuedAt: number | undefined
}

const verified = async (token: string, { keys, scope }: BundleKeys): Promise<Verified> => {
  if (keys.length === 0) throw new Error('there is no key to verify it with')
  const payload = asObject(parse(SIGNATURES, await signed(token, keys)), SIGNATURES)
  if ((payload['scope'] ?? '') !== (scope ?? ''))
    throw new Error(
      `${SIGNATURES}: the claim scope is not ${scope === undefined ? 'empty' : 'the one asked for'}`,
    )
  const { iat, exp } = payload
  if (iat !== undefined && (typeof iat !== 'number' || !Number.isSafeInteger(iat) || iat < 0))
    throw new Error(`${SIGNATURES}: the claim iat is not a time`)
  if (exp !== undefined && !(typeof exp === 'number' && exp * 1000 > Date.now()))
    throw new Error(`${SIGNATURES}: the signature has expired`)
  return { payload, issuedAt: iat }
}

const signed = async (token: string, keys: readonly BundleKey[]): Promise<Uint8Array> => {
  for (const { key, algorithm } of keys) {
    try {
      return (await compactVerify(token, key, { algorithms: [algorithm] })).payload
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
    }
  }
  throw new Error(
    `${SIGNATURES}: is not signed by ${keys.length === 1 ? 'the key' : 'any of the keys'} given`,
  )
}

interface Listed {
  readonly hash: string
  readonly algorithm: string
}

const readListed = (files: unknown): Map<string, Listed> => {
  if (!Array.isArray(files)) throw new Error(`${SIGNATURES}: lists no files`)
  const listed = new Map<string, Listed>()
  for (const entry of files as readonly unknown[]) {
    const { name, hash, algorithm } = asObject(entry, SIGNATURES)
    const known = typeof algorithm === 'string' ? HASHES.get(algorithm) : undefined
    if (typeof name !== 'string' || typeof hash !== 'string' || known === undefined)
      throw new Error(`${SIGNATURES}: each file needs name, hash and algorithm SHA-256, SHA-384 or SHA-512`)
    const path = name.replace(/^\/+/, '')
    if (listed.has(path)) throw new Error(`${SIGNATURES}: ${shown(path)} is listed twice`)
    listed.set(path, { hash: hash.toLowerCase(), algorithm: known })
  }
  return listed
}

/** OPA hashes the value in the files that it reads as data or manifest, so that blanks and order do not count; else the bytes. */
const digest = (path: string, bytes: Uint8Array, algorithm: string): string => {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (name === 'data.yaml' || name === 'data.yml')
    throw new Error(`${shown(path)}: only data.json is read; build the bundle with: opa build`)
  const hash = createHash(algorithm)
  if (name === 'data.json' || name === '.manifest')
    for (const part of inPieces(canonical(parseExact(path, bytes), 0))) hash.update(part)
  else hash.update(bytes)
  return hash.digest('hex')
}

/** A number as it is written: OPA hashes 1.0 and 1 differently. */
interface NumberText {
  readonly written: string
}

const NUMBER = Symbol('number')

type Exact =
  | null
  | boolean
  | string
  | readonly Exact[]
  | { readonly [key: string]: Exact; readonly [NUMBER]?: NumberText }

const parseExact = (path: string, bytes: Uint8Array): Exact =>
  parse(path, bytes, (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
    typeof value === 'number' ? { [NUMBER]: { written: context.source ?? '' } } : value,
  ) as Exact

/** The text that OPA hashes for a value: no blanks, keys sorted by their UTF-8 bytes, strings as Go's encoder writes them. */
function* canonical(value: Exact, depth: number): Generator<string> {
  if (depth > MAX_DEPTH) throw new Error(`is nested deeper than ${MAX_DEPTH}`)
  if (value === null || typeof value === 'boolean') yield String(value)
  else if (typeof value === 'string') yield quoted(value)
  else if (isArray(value)) {
    yield '['
    for (const [index, item] of value.entries()) {
      if (index > 0) yield ','
      yield* canonical(item, depth + 1)
    }
    yield ']'
  } else if (value[NUMBER] !== undefined) yield value[NUMBER].written
  else {
    yield '{'
    const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    for (const [index, [key, item]] of entries.entries()) {
      yield `${index > 0 ? ',' : ''}${quoted(key)}:`
      yield* canonical(item, depth + 1)
    }
    yield '}'
  }
}

/** One update of a hash costs more than a few characters do. */
function* inPieces(parts: Iterable<string>): Generator<string> {
  let piece = ''
  for (const part of parts) {
    piece += part
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  yield piece
}

const PIECE = 65_536

const isArray = (value: Exact): value is readonly Exact[] => Array.isArray(value)

const quoted = (text: string): string => {
  // Go puts another character in the place of half a pair, so the signed value would not be the one used.
  if (!text.isWellFormed()) throw new Error('has half of a surrogate pair in a string')
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

const parse = (path: string, bytes: Uint8Array, reviver?: Reviver): unknown => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown)
  } catch {
    throw new Error(`${shown(path)}: is not JSON`)
  }
}

const asObject = (value: unknown, path: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${path}: is not as OPA writes it`)
  return value as Readonly<Record<string, unknown>>
}

/** Paths of a bundle that nobody has vouched for go into logs. */
const shown = (path: string): string =>
  JSON.stringify(path.length > 128 ? `${path.slice(0, 128)}…` : path).slice(1, -1)
