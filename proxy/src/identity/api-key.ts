import { hash, randomInt, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Caller, Identifier, Presented } from '../core/caller.ts'
import { Refusal } from '../core/refusal.ts'
import { BEARER_CHALLENGE, bearerToken } from './bearer.ts'
import { outOfBounds } from './caller-fields.ts'
import { badCredential } from './refuse.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 32 // 190 bits: beyond guessing, so a fast hash is enough
const CHECK_LENGTH = 6

export interface ApiKeyEntry {
  /** `sha256:` and 64 hex digits, as `newApiKey` gives it. */
  readonly hash: string
  readonly subject: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes?: readonly string[]
  /** RFC 3339; the key is refused from then on. */
  readonly notAfter?: string
}

export interface ApiKeyOptions {
  readonly keys: readonly ApiKeyEntry[]
  /** How keys begin; tells them from tokens in `Authorization`. `pk-` when absent. */
  readonly prefix?: string
  /** Headers that may carry a key; all three when absent. */
  readonly headers?: readonly ('authorization' | 'x-api-key' | 'api-key')[]
  /** Milliseconds since the epoch; `Date.now` when absent. */
  readonly now?: () => number
}

/** A new key and what to store of it. The last six characters are a checksum, so a mistyped key is told from a wrong one. */
export const newApiKey = (prefix = 'pk-'): { readonly key: string; readonly hash: string } => {
  const random = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  const key = `${prefix}${random}${checksum(prefix + random)}`
  return { key, hash: `sha256:${hash('sha256', key)}` }
}

interface StoredKey {
  readonly digest: Buffer
  readonly caller: Caller
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** API keys, kept as SHA-256 only. Throws an Error that names the first bad entry. */
export const apiKeyIdentifier = (options: ApiKeyOptions): Identifier => {
  const { prefix = 'pk-', headers = ['authorization', 'x-api-key', 'api-key'], now = Date.now } = options
  const keys = new Map<string, StoredKey>()
  for (const [index, entry] of options.keys.entries()) {
    if (keys.has(entry.hash.slice(7))) throw new Error(`api key ${index}: the same hash stands twice`)
    keys.set(entry.hash.slice(7), storedKey(entry, index))
  }
  return {
    name: 'api-key',
    challenge: headers.includes('authorization') ? BEARER_CHALLENGE : 'ApiKey realm="postern"',
    identify: async (presented) => {
      const key = headers
        .map((header) => keyIn(presented, header, prefix))
        .find((value) => value !== undefined)
      return key === undefined ? undefined : Promise.resolve(callerOf(key, { keys, prefix, now: now() }))
    },
    close: () => Promise.resolve(),
  }
}

const keyIn = ({ headers }: Presented, header: string, prefix: string): string | undefined => {
  if (header !== 'authorization') return headers[header]
  const token = bearerToken(headers.authorization)
  return token?.startsWith(prefix) === true ? token : undefined
}

interface Lookup {
  readonly keys: ReadonlyMap<string, StoredKey>
  readonly prefix: string
  readonly now: number
}

const callerOf = (key: string, { keys, prefix, now }: Lookup): Caller => {
  if (!isWellFormed(key, prefix))
    throw new Refusal('unauthenticated', {
      cause: new Error('api key is mistyped'),
      details: ['the API key is mistyped or cut off'],
    })
  const digest = hash('sha256', key, 'buffer')
  const stored = keys.get(digest.toString('hex'))
  // The lookup goes by a hash that nobody can steer byte by byte; the comparison does not depend on where it differs.
  if (stored === undefined || !timingSafeEqual(stored.digest, digest))
    throw badCredential('api key is not known')
  if (now >= stored.until) throw badCredential('api key has ended')
  return stored.caller
}

const isWellFormed = (key: string, prefix: string): boolean => {
  if (key.length !== prefix.length + RANDOM_LENGTH + CHECK_LENGTH || !key.startsWith(prefix)) return false
  return key.endsWith(checksum(key.slice(0, -CHECK_LENGTH)))
}

const checksum = (text: string): string => {
  let rest = crc32(text)
  let digits = ''
  for (let count = 0; count < CHECK_LENGTH; count++) {
    digits = (ALPHABET[rest % ALPHABET.length] ?? '') + digits
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}

const storedKey = (
  { hash: stored, notAfter, subject, tenant, roles, scopes = [] }: ApiKeyEntry,
  index: number,
): StoredKey => {
  if (!/^sha256:[0-9a-f]{64}$/.test(stored))
    throw new Error(
      `api key ${index}: hash must be sha256: and 64 lower-case hex digits, as \`postern token\` prints it`,
    )
  const caller = { subject, tenant, roles, scopes, via: 'api-key' }
  const wrong = outOfBounds(caller)
  if (wrong !== undefined)
    throw new Error(`api key ${index}: ${wrong} is empty, too long or has control characters`)
  const until = notAfter === undefined ? Infinity : Date.parse(notAfter)
  if (Number.isNaN(until))
    throw new Error(`api key ${index}: notAfter must be a time such as 2027-01-31T00:00:00Z`)
  return { digest: Buffer.from(stored.slice(7), 'hex'), caller, until }
}
