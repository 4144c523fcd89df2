import { hash } from 'node:crypto'
import type { V1TokenReviewStatus } from '@kubernetes/client-node'
import type { Caller, Identifier } from '../core/caller.ts'
import type { JsonObject } from '../core/json.ts'
import { BEARER_CHALLENGE, bearerToken } from './bearer.ts'
import { isCallerString } from './caller-fields.ts'
import { looksLikeJws, readClaims, readCompactJws } from './compact-jws.ts'
import { grantFor } from './grants.ts'
import type { Grant } from './grants.ts'
import type { Instruments } from './instruments.ts'
import { lru } from './lru.ts'
import { badCredential, cannotCheck } from './refuse.ts'
import { tokenReviews } from './token-review.ts'
import type { KubernetesApiOptions, TokenReviews } from './token-review.ts'

export interface ServiceAccountOptions extends KubernetesApiOptions {
  /** The token must be for one of these. */
  readonly audiences: readonly string[]
  /** Exactly the tokens' `iss`; any when absent. */
  readonly issuer?: string
  /** Matched against `namespace/name`. The tenant is the namespace unless a grant says otherwise. */
  readonly grants?: readonly Grant[]
  /** Seconds a good answer is kept, at most 60; 30 when absent. Never past the token's `exp`. */
  readonly cacheS?: number
  /** Seconds a bad answer is kept, at most 10; 3 when absent. */
  readonly refusalCacheS?: number
  /** Answers kept; 2000 when absent. */
  readonly cacheEntries?: number
  /** Reviews in flight; more are refused as `guard_unavailable`. 16 when absent. */
  readonly maxInFlight?: number
}

/** What the API server said. Milliseconds since the epoch. */
interface Answer {
  readonly caller: Caller | undefined
  readonly until: number
}

const PREFIX = 'system:serviceaccount:'

/** Seconds without a call after one that failed. */
const COOL_DOWN_S = 1

/** Kubernetes ServiceAccount tokens, known by their `sub`, checked by the API server. */
export const serviceAccountIdentifier = (
  options: ServiceAccountOptions,
  instruments: Instruments,
): Identifier => {
  checkOptions(options)
  const { now = Date.now } = instruments
  const reviews = guardedReviews(options, instruments)
  const answers = lru<Answer>(options.cacheEntries ?? 2_000)
  const running = new Map<string, Promise<Answer>>()

  const ask = async (token: string, claims: JsonObject): Promise<Answer> => {
    const status = await reviews.review(token, options.audiences)
    const caller = callerOf(status, claims, options)
    const keptS = caller === undefined ? (options.refusalCacheS ?? 3) : (options.cacheS ?? 30)
    return { caller, until: Math.min(now() + keptS * 1000, (claims.exp as number) * 1000) }
  }
  return {
    name: 'service-account',
    challenge: BEARER_CHALLENGE,
    identify: async ({ headers }) => {
      const token = bearerToken(headers.authorization)
      if (token === undefined || !looksLikeJws(token)) return undefined
      const key = hash('sha256', token, 'base64')
      const known = answers.get(key)
      if (known !== undefined && now() < known.until) return accepted(known)
      const claims = serviceAccountClaims(token, options)
      if (claims === undefined) return undefined
      if (!mayBeGood(claims, options.audiences, now()))
        throw badCredential('service account token has ended or is not for us')
      const answer = running.get(key) ?? ask(token, claims).finally(() => running.delete(key))
      running.set(key, answer)
      answers.set(key, await answer)
      return accepted(await answer)
    },
    close: () => reviews.close(),
  }
}

const accepted = ({ caller }: Answer): Caller => {
  if (caller === undefined) throw badCredential('the API server refused the service account token')
  return caller
}

/** Not verified: only to tell whose token it is. */
const serviceAccountClaims = (token: string, { issuer }: ServiceAccountOptions): JsonObject | undefined => {
  const claims = readClaims(readCompactJws(token).payload)
  const { iss, sub } = claims
  const ours = typeof sub === 'string' && sub.startsWith(PREFIX) && (issuer === undefined || iss === issuer)
  return ours ? claims : undefined
}

/** Spares the API server what it could only refuse. Tokens without an end or an audience are the old kind, which is not accepted. */
const mayBeGood = ({ exp, aud }: JsonObject, audiences: readonly string[], now: number): boolean =>
  typeof exp === 'number' &&
  exp * 1000 > now &&
  [aud].flat().some((name) => audiences.includes(name as string))

const callerOf = (
  { authenticated, error, user, audiences }: V1TokenReviewStatus,
  { sub }: JsonObject,
  options: ServiceAccountOptions,
): Caller | undefined => {
  if (authenticated !== true || (error ?? '') !== '') return undefined
  // A server that does not know audiences answers without them: it has not checked them.
  if (audiences?.some((name) => options.audiences.includes(name)) !== true) return undefined
  if (user?.username === undefined || user.username !== sub) return undefined
  const [namespace, name, ...rest] = user.username.slice(PREFIX.length).split(':')
  if (!isDnsName(namespace) || !isDnsName(name) || rest.length > 0) return undefined
  const { tenant = namespace, roles, scopes } = grantFor(options.grants ?? [], `${namespace}/${name}`, '/')
  const caller = { subject: user.username, tenant, roles, scopes, via: 'service-account' }
  return isCallerString(caller.subject) ? caller : undefined
}

const isDnsName = (name: string | undefined): name is string =>
  name !== undefined && name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)

/** At most `maxInFlight` calls, none for a while after one that failed. Throws Refusal `guard_unavailable`. */
const guardedReviews = (options: ServiceAccountOptions, { log }: Instruments): TokenReviews => {
  const { maxInFlight = 16 } = options
  const reviews = tokenReviews(options)
  let inFlight = 0
  let mayCallAt = 0
  return {
    review: async (token, audiences) => {
      if (inFlight >= maxInFlight) throw cannotCheck('too many token reviews in flight')
      if (performance.now() < mayCallAt) throw cannotCheck('token reviews failed a moment ago')
      inFlight += 1
      try {
        return await reviews.review(token, audiences)
      } catch (error) {
        mayCallAt = performance.now() + COOL_DOWN_S * 1000
        log.warn('token_review_failed', { cause: withoutAnswer(error) })
        throw cannotCheck('token review failed', withoutAnswer(error))
      } finally {
        inFlight -= 1
      }
    },
    close: () => reviews.close(),
  }
}

// The client's error repeats headers and body of the answer, and the answer may repeat the token.
const withoutAnswer = (error: unknown): Error => {
  if (error instanceof Error && 'code' in error) return new Error(`token review: ${String(error.code)}`)
  return new Error(`token review: ${error instanceof Error ? error.name : 'failed'}`)
}

const checkOptions = ({ audiences, cacheS = 0, refusalCacheS = 0 }: ServiceAccountOptions): void => {
  if (audiences.length === 0)
    throw new Error(
      'service account: list the audiences to accept, or tokens for other services would be accepted',
    )
  if (!(cacheS >= 0 && cacheS <= 60)) throw new Error('service account: cacheS must be 0 to 60')
  if (!(refusalCacheS >= 0 && refusalCacheS <= 10))
    throw new Error('service account: refusalCacheS must be 0 to 10')
}
