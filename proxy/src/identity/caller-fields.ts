import type { Caller } from '../core/caller.ts'

const MAX_STRING = 256
const MAX_LIST = 64

/** True for a string that may stand in a Caller: 1 to 256 characters, well-formed, no control character. */
export const isCallerString = (value: unknown): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_STRING &&
  value.isWellFormed() &&
  !hasControl(value)

/** True for a list that may stand in a Caller: at most 64 such strings. */
export const isCallerList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= MAX_LIST && value.every(isCallerString)

/** Names the first field that breaks the bounds of core's Caller; undefined when all is well. */
export const outOfBounds = (caller: Caller): keyof Caller | undefined => {
  if (!isCallerString(caller.subject)) return 'subject'
  if (!isCallerString(caller.tenant)) return 'tenant'
  if (!isCallerList(caller.roles)) return 'roles'
  if (!isCallerList(caller.scopes)) return 'scopes'
  return isCallerString(caller.via) ? undefined : 'via'
}

// C0, DEL and C1: a name with one could forge a line in a log or a header.
const hasControl = (value: string): boolean => {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true
  }
  return false
}
