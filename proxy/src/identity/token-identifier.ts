import { hash } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import type { Caller, Identifier } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import { BEARER_CHALLENGE, bearerToken } from './bearer.ts'
import { callerFromClaims } from './claims.ts'
import type { ClaimMapping } from './claims.ts'
import { looksLikeJws, readClaims, readCompactJws } from './compact-jws.ts'
import type { CompactJws, JwsHeader } from './compact-jws.ts'
import type { Algorithm } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import { lru } from './lru.ts'
import { badCredential } from './refuse.ts'

/** What a token of one issuer must say, and who then calls. */
export interface TokenRules {
  readonly name: string
  /** Exactly the token's `iss`. */
  readonly issuer: string
  /** At least one of these must be in the token's `aud`. */
  readonly audiences: readonly string[]
  readonly algorithms: readonly Algorithm[]
  /** Seconds of clock difference allowed, at most 30. */
  readonly leewayS: number
  /** Seconds since `iat`, which is then required. */
  readonly maxAgeS?: number
  /** The header's `typ`, such as `at+jwt`. When absent: none, `JWT` or `at+jwt`. */
  readonly typ?: string
  /** Accepts the header hints `x5t` and `x5t#S256`, which are not used. */
  readonly allowThumbprints?: boolean
  readonly claims: ClaimMapping
  readonly keys: KeySource
}

export interface TokenIdentifierOptions {
  readonly name: string
  readonly issuers: readonly TokenRules[]
  /** Verified tokens remembered. */
  readonly cacheEntries: number
  /** Seconds a verified token is remembered at most. */
  readonly cacheS: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** A verified token. `from` and `until` are seconds since the epoch, `until` exclusive, leeway included. */
interface Verified {
  readonly caller: Caller
  readonly from: number
  readonly until: number
  readonly keys: KeySource
  readonly epoch: number | undefined
}

const USUAL_TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt'])

/**
 * Bearer JWTs of several issuers, told apart by `iss`. A token of another issuer is left to the next identifier. Verified
 * tokens are remembered by their SHA-256 and checked against clock and keys at every use.
 */
export const tokenIdentifier = (options: TokenIdentifierOptions): Identifier => {
  const issuers = new Map(options.issuers.map((rules) => [rules.issuer, rules]))
  const verified = lru<Verified>(options.cacheEntries)
  const seconds = () => Math.floor(options.now() / 1000)
  return {
    name: options.name,
    challenge: BEARER_CHALLENGE,
    identify: async ({ headers }) => {
      const token = bearerToken(headers.authorization)
      if (token === undefined) return undefined
      const key = hash('sha256', token, 'base64')
      const known = verified.get(key)
      if (known !== undefined && isGood(known, seconds())) return known.caller
      verified.delete(key)
      if (!looksLikeJws(token)) return undefined
      const jws = readCompactJws(token)
      const { iss } = readClaims(jws.payload)
      const rules = typeof iss === 'string' ? issuers.get(iss) : undefined
      if (rules === undefined) return undefined
      const fresh = await verify(token, jws, { rules, now: seconds(), cacheS: options.cacheS })
      verified.set(key, fresh)
      return fresh.caller
    },
    close: async () => {
      await Promise.all(options.issuers.map(({ keys }) => keys.close()))
    },
  }
}

const isGood = ({ from, until, keys, epoch }: Verified, now: number): boolean =>
  now >= from && now < until && epoch !== undefined && keys.epoch() === epoch

interface Verification {
  readonly rules: TokenRules
  readonly now: number
  readonly cacheS: number
}

const verify = async (
  token: string,
  jws: CompactJws,
  { rules, now, cacheS }: Verification,
): Promise<Verified> => {
  checkHeader(jws.header, rules)
  const key = await rules.keys.find(jws.header)
  if (key === undefined) throw badCredential('no key for the token')
  const epoch = rules.keys.epoch()
  const claims = await verifiedClaims(token, key, { rules, now, cacheS })
  const caller = callerFromClaims(claims, rules.claims, rules.name)
  const { from, until } = validity(claims, rules)
  return { caller, from, until: Math.min(until, now + cacheS), keys: rules.keys, epoch }
}

const checkHeader = ({ alg, typ, hints }: JwsHeader, rules: TokenRules): void => {
  if (!(rules.algorithms as readonly string[]).includes(alg))
    throw badCredential('token algorithm is not allowed')
  if (hints.length > 0 && rules.allowThumbprints !== true)
    throw badCredential('token header has a thumbprint')
  if (rules.typ === undefined && typ !== undefined && !USUAL_TYPES.has(typ.toLowerCase()))
    throw badCredential('token type is not one of an access token')
}

const verifiedClaims = async (
  token: string,
  key: Parameters<typeof jwtVerify>[1],
  { rules, now }: Verification,
): Promise<JsonObject> => {
  const { issuer, audiences, algorithms, leewayS, maxAgeS, typ } = rules
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer,
      audience: [...audiences],
      algorithms: [...algorithms],
      clockTolerance: leewayS,
      currentDate: new Date(now * 1000),
      requiredClaims: ['exp'],
      ...(maxAgeS === undefined ? {} : { maxTokenAge: maxAgeS }),
      ...(typ === undefined ? {} : { typ }),
    })
    return payload as JsonObject
  } catch (error) {
    throw badCredential(`token refused: ${reasonOf(error)}`)
  }
}

// jose's claim errors carry all claims of the token: only their code and claim name may go on.
const reasonOf = (error: unknown): string => {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.code} ${error.claim}`
  return error instanceof errors.JOSEError ? error.code : 'verification failed'
}

const validity = ({ exp, nbf, iat, aud }: JsonObject, rules: TokenRules) => {
  const { leewayS, maxAgeS } = rules
  if (typeof exp !== 'number' || ![exp, nbf ?? 0, iat ?? 0].every(isTime))
    throw badCredential('token time out of range')
  if (Array.isArray(aud) && !aud.every((name) => typeof name === 'string'))
    throw badCredential('token aud is malformed')
  const tooOld = maxAgeS === undefined ? Infinity : (iat as number) + maxAgeS + 1
  return { from: ((nbf ?? 0) as number) - leewayS, until: Math.min(exp, tooOld) + leewayS }
}

const isTime = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= 253_402_300_799
