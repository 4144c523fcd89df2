import type { Identifier } from '../core/caller.ts'
import { isCallerString } from './caller-fields.ts'
import { checkMapping } from './claims.ts'
import type { ClaimMapping } from './claims.ts'
import type { Instruments } from './instruments.ts'
import { checkIssuerKeys, issuerKeys } from './issuer-keys.ts'
import type { IssuerKeysOptions } from './issuer-keys.ts'
import { ALGORITHMS } from './key-set.ts'
import type { Algorithm } from './key-set.ts'
import type { KeptKeys } from './key-source.ts'
import { tokenIdentifier } from './token-identifier.ts'

const MAX_LEEWAY_S = 30

/** One token issuer. Callers are known as `jwt:<name>`. */
export interface JwtIssuerOptions extends IssuerKeysOptions {
  readonly name: string
  /** Exactly the tokens' `iss`. With no `jwksUrl` also where discovery starts. */
  readonly issuer: string
  readonly audiences: readonly string[]
  /** All asymmetric ones when absent. */
  readonly algorithms?: readonly Algorithm[]
  /** Seconds, at most 30; 5 when absent. */
  readonly leewayS?: number
  /** Seconds since `iat`, which is then required. */
  readonly maxAgeS?: number
  /** The header's `typ`, such as `at+jwt`. When absent: none, `JWT` or `at+jwt`. */
  readonly typ?: string
  /** Accepts the header hints `x5t` and `x5t#S256` (Microsoft Entra sends them), which are not used. */
  readonly allowThumbprints?: boolean
  readonly claims: ClaimMapping
}

export interface JwtOptions {
  readonly issuers: readonly JwtIssuerOptions[]
  /** Verified tokens remembered; 10000 when absent, about 400 bytes each. */
  readonly cacheEntries?: number
  /** Seconds a verified token is remembered at most; 300 when absent. */
  readonly cacheS?: number
  /** One map for the life of the process: a new configuration starts with the keys that the old one had. */
  readonly keptKeys?: KeptKeys
}

/** Bearer JWTs (RFC 7519) of the configured issuers. Throws an Error that says what to change for options that cannot work. */
export const jwtIdentifier = (options: JwtOptions, instruments: Instruments): Identifier => {
  if (options.issuers.length === 0) throw new Error('jwt: give at least one issuer')
  // Before the first key source starts to fetch: what throws must not leave one running.
  for (const issuer of options.issuers) checkIssuer(issuer)
  for (const field of ['name', 'issuer'] as const)
    if (new Set(options.issuers.map((issuer) => issuer[field])).size < options.issuers.length)
      throw new Error(`jwt: two issuers have the same ${field}`)
  const kept = options.keptKeys === undefined ? {} : { keptKeys: options.keptKeys }
  return tokenIdentifier({
    name: 'jwt',
    issuers: options.issuers.map((issuer) => {
      const { name, algorithms = ALGORITHMS, leewayS = 5 } = issuer
      const keys = issuerKeys({ ...issuer, algorithms, ...kept }, instruments)
      return { ...issuer, name: `jwt:${name}`, algorithms, leewayS, keys }
    }),
    cacheEntries: options.cacheEntries ?? 10_000,
    cacheS: options.cacheS ?? 300,
    now: instruments.now ?? Date.now,
  })
}

const checkIssuer = (options: JwtIssuerOptions): void => {
  const { name, issuer, audiences, algorithms, leewayS = 0 } = options
  if (!isCallerString(`jwt:${name}`))
    throw new Error('jwt: an issuer has no name, or one over 250 characters')
  if (issuer === '') throw new Error(`issuer ${name}: give the exact iss of its tokens`)
  if (audiences.length === 0 || audiences.includes(''))
    throw new Error(
      `issuer ${name}: give at least one audience, or tokens for other services would be accepted`,
    )
  if (algorithms?.length === 0 || algorithms?.some((algorithm) => !ALGORITHMS.includes(algorithm)) === true)
    throw new Error(`issuer ${name}: algorithms must be some of ${ALGORITHMS.join(' ')}`)
  if (!(leewayS >= 0 && leewayS <= MAX_LEEWAY_S))
    throw new Error(`issuer ${name}: leewayS must be 0 to ${MAX_LEEWAY_S}`)
  checkIssuerKeys({ ...options, algorithms: algorithms ?? ALGORITHMS })
  checkMapping(options.claims, name)
}
