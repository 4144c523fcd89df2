import type { Caller, Identifier, Presented } from '../core/caller.ts'
import { asRefusal, Refusal } from '../core/refusal.ts'
import { BEARER_CHALLENGE } from './bearer.ts'
import { outOfBounds } from './caller-fields.ts'
import type { Instruments } from './instruments.ts'
import { badCredential } from './refuse.ts'

/** Headers that carry a credential of ours. None is ever forwarded. */
export const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'api-key'] as const

/**
 * Asks the identifiers in order: the first that recognises what was presented decides. Throws Refusal `unauthenticated`,
 * with a `WWW-Authenticate` header, when none does or the credential is bad; `headers_invalid` when more than one header
 * carries a credential (RFC 6750, section 3.1); `guard_unavailable` when it cannot be checked.
 */
export const identify = (
  identifiers: readonly Identifier[],
  { meter }: Pick<Instruments, 'meter'>,
): ((presented: Presented) => Promise<Caller>) => {
  checkOrder(identifiers)
  const challenges = challengesOf(identifiers)
  const bounded = boundedCallers()
  return async (presented) => {
    const credentials = CREDENTIAL_HEADERS.filter((name) => presented.headers[name] !== undefined)
    if (credentials.length > 1)
      throw new Refusal('headers_invalid', {
        details: [`send one of ${credentials.join(', ')}, not several`],
      })
    for (const identifier of identifiers) {
      const caller = await ask(identifier, presented, bounded).catch((error: unknown) => {
        const refusal = asRefusal(error)
        const result = refusal.code === 'unauthenticated' ? 'refused' : 'unavailable'
        meter.add('postern_identify_total', 1, identifier.name, result)
        throw refusal.code === 'unauthenticated' ? challenged(refusal, challenges.invalid) : refusal
      })
      if (caller === undefined) continue
      meter.add('postern_identify_total', 1, identifier.name, 'accepted')
      return caller
    }
    meter.add('postern_identify_total', 1, 'none', 'refused')
    throw challenged(
      badCredential('no identifier knows this credential'),
      challenges[credentials.length > 0 ? 'invalid' : 'missing'],
    )
  }
}

/** Throws Refusal `unauthenticated` for a caller outside the bounds of core's Caller. Remembered callers are looked at once. */
const boundedCallers = (): ((caller: Caller) => Caller) => {
  const seen = new WeakSet<Caller>()
  return (caller) => {
    if (seen.has(caller)) return caller
    const wrong = outOfBounds(caller)
    if (wrong !== undefined) throw badCredential(`${wrong} is empty, too long or has control characters`)
    seen.add(caller)
    return caller
  }
}

const ask = async (
  identifier: Identifier,
  presented: Presented,
  bounded: (caller: Caller) => Caller,
): Promise<Caller | undefined> => {
  const caller = await identifier.identify(presented)
  return caller === undefined ? undefined : bounded(caller)
}

const challenged = ({ cause, details, headers }: Refusal, challenge: string): Refusal =>
  new Refusal('unauthenticated', { cause, details, headers: { ...headers, 'www-authenticate': challenge } })

/** RFC 6750 wants an error code only when a credential was presented, and RFC 9110 at least one challenge. */
const challengesOf = (
  identifiers: readonly Identifier[],
): { readonly missing: string; readonly invalid: string } => {
  const known = new Set(
    identifiers.map(({ challenge }) => challenge).filter((challenge) => challenge !== undefined),
  )
  const all = known.size > 0 ? [...known] : [BEARER_CHALLENGE]
  const invalid = all.map((challenge) =>
    challenge === BEARER_CHALLENGE ? `${challenge}, error="invalid_token"` : challenge,
  )
  return { missing: all.join(', '), invalid: invalid.join(', ') }
}

const checkOrder = (identifiers: readonly Identifier[]): void => {
  const names = identifiers.map(({ name }) => name)
  if (names.length === 0) throw new Error('identity: configure at least one way to know callers')
  if (new Set(names).size < names.length) throw new Error('identity: two identifiers have the same name')
  if (names.includes('anonymous') && names.at(-1) !== 'anonymous')
    throw new Error('identity: anonymous accepts everyone, so it must come last')
}
