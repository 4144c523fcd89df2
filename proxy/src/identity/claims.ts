import type { Caller } from '../core/caller.ts'
import { isObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isCallerList, isCallerString, outOfBounds } from './caller-fields.ts'
import { badCredential } from './refuse.ts'

/** Where a claim is: names joined by dots (`realm_access.roles`), or a list of names when a name has a dot (`['https://example.com/roles']`). */
export type ClaimPath = string | readonly string[]

/** Which claims make the caller. A claim that is absent takes its default; without a default the token is refused. */
export interface ClaimMapping {
  /** `sub` when absent. */
  readonly subject?: ClaimPath
  readonly tenant?: ClaimPath
  /** An array of strings, or one string for one role. */
  readonly roles?: ClaimPath
  /** An array of strings, or one string of names between blanks as OAuth writes it. `scope` when absent. */
  readonly scopes?: ClaimPath
  readonly defaults?: {
    readonly tenant?: string
    /** `[]` when absent. */
    readonly roles?: readonly string[]
    /** `[]` when absent. */
    readonly scopes?: readonly string[]
  }
}

/** Throws an Error that says what to change when no token could ever satisfy the mapping. */
export const checkMapping = (mapping: ClaimMapping, name: string): void => {
  const { tenant, roles, scopes } = mapping.defaults ?? {}
  if (mapping.tenant === undefined && tenant === undefined)
    throw new Error(`issuer ${name}: map a claim to the tenant or give a default tenant`)
  const defaults: Caller = {
    subject: name,
    tenant: tenant ?? name,
    roles: roles ?? [],
    scopes: scopes ?? [],
    via: name,
  }
  const wrong = outOfBounds(defaults)
  if (wrong !== undefined)
    throw new Error(`issuer ${name}: the default ${wrong} is empty, too long or has control characters`)
}

/** The caller that verified claims name. Throws Refusal `unauthenticated` for a missing, wrong-typed or overlong claim; nothing is cut to fit. */
export const callerFromClaims = (claims: JsonObject, mapping: ClaimMapping, via: string): Caller => {
  const { defaults = {} } = mapping
  return {
    subject: oneString(claimAt(claims, mapping.subject ?? 'sub'), 'subject'),
    tenant: oneString(claimAt(claims, mapping.tenant) ?? defaults.tenant, 'tenant'),
    roles: list(claimAt(claims, mapping.roles) ?? defaults.roles ?? [], 'roles'),
    scopes: list(words(claimAt(claims, mapping.scopes ?? 'scope')) ?? defaults.scopes ?? [], 'scopes'),
    via,
  }
}

const claimAt = (claims: JsonObject, path: ClaimPath | undefined): Json | undefined => {
  if (path === undefined) return undefined
  let value: Json | undefined = claims
  for (const name of typeof path === 'string' ? path.split('.') : path)
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

const words = (value: Json | undefined): Json | undefined =>
  typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : value

const oneString = (value: Json | undefined, field: string): string => {
  if (isCallerString(value)) return value
  throw badCredential(`claim for ${field} is missing, not a string, or too long`)
}

const list = (value: Json, field: string): readonly string[] => {
  const values = typeof value === 'string' ? [value] : value
  if (isCallerList(values)) return values
  throw badCredential(`claim for ${field} is not a short list of short strings`)
}
