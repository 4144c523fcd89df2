import type { Identifier } from '../core/caller.ts'
import { outOfBounds } from './caller-fields.ts'

export interface AnonymousOptions {
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes?: readonly string[]
}

/** Everyone is the caller `anonymous`. For development: configured by name, never a default. */
export const anonymousIdentifier = ({ tenant, roles, scopes = [] }: AnonymousOptions): Identifier => {
  const caller = { subject: 'anonymous', tenant, roles, scopes, via: 'anonymous' }
  const wrong = outOfBounds(caller)
  if (wrong !== undefined) throw new Error(`anonymous: ${wrong} is empty, too long or has control characters`)
  return {
    name: 'anonymous',
    challenge: undefined,
    identify: () => Promise.resolve(caller),
    close: () => Promise.resolve(),
  }
}
