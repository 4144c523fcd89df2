import type { JsonObject } from '../core/json.ts'
import { badCredential } from './refuse.ts'
import { parseObject } from './strict-json.ts'

const MAX_LENGTH = 8192
const MAX_HEADER_VALUE = 256

const NAMED = new Set(['alg', 'kid', 'typ'])

/** Certificate thumbprints: hints that choose no key here. Some issuers always send them. */
const HINTS = new Set(['x5t', 'x5t#S256'])

export interface JwsHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
  /** Names of the thumbprint hints that are present; their values are not read. */
  readonly hints: readonly string[]
}

export interface CompactJws {
  readonly header: JwsHeader
  readonly payload: Uint8Array
}

/** Three parts between two dots: worth reading as a JWS at all. */
export const looksLikeJws = (token: string): boolean => {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  return first > 0 && second > 0 && !token.includes('.', second + 1)
}

/**
 * The shape of a compact JWS, nothing verified. Every part is the one base64url spelling of its bytes, so no two tokens
 * mean the same; the header is strict JSON with `alg`, `kid`, `typ` and thumbprint hints only, which leaves `jku`, `x5u`,
 * `jwk`, `x5c`, `crit`, `b64` and `zip` refused. Throws Refusal `unauthenticated`.
 */
export const readCompactJws = (token: string): CompactJws => {
  if (token.length > MAX_LENGTH) throw badCredential('token too long')
  const parts = token.split('.', 4).map(decode)
  const [header, payload, signature] = parts
  if (parts.length !== 3 || !header || !payload || !signature) throw badCredential('not three token parts')
  return { header: readHeader(header), payload }
}

/** The claims of a JWS payload, not verified. Throws Refusal `unauthenticated`. */
export const readClaims = (payload: Uint8Array): JsonObject => {
  try {
    return parseObject(payload)
  } catch (cause) {
    throw badCredential(`token claims: ${(cause as Error).message}`)
  }
}

const decode = (part: string): Uint8Array => {
  const bytes = Buffer.from(part, 'base64url')
  if (part === '' || bytes.toString('base64url') !== part) throw badCredential('token part is not base64url')
  return bytes
}

const readHeader = (bytes: Uint8Array): JwsHeader => {
  const header = readClaims(bytes)
  const hints = Object.keys(header).filter((name) => !NAMED.has(name))
  if (!hints.every((name) => HINTS.has(name)))
    throw badCredential('token header has a name that is not allowed')
  const alg = headerValue(header, 'alg')
  if (alg === undefined) throw badCredential('token header without alg')
  return { alg, kid: headerValue(header, 'kid'), typ: headerValue(header, 'typ'), hints }
}

const headerValue = (header: JsonObject, name: string): string | undefined => {
  const value = header[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '' || value.length > MAX_HEADER_VALUE)
    throw badCredential(`token header ${name} is not a short string`)
  return value
}
