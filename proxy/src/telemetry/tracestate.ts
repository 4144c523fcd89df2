const MAX_LENGTH = 512 // characters; what W3C Trace Context asks to propagate at least
const MAX_MEMBERS = 32

/**
 * A `tracestate` header that may be passed on, as it is; undefined for one that is broken or longer than 512 characters.
 * Strict after W3C Trace Context, level 2: `key=value` members, keys once, printable ASCII without `,` and `=` in values.
 */
export const passableTracestate = (header: string | undefined): string | undefined => {
  if (header === undefined || header.length > MAX_LENGTH) return undefined
  const members = header
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
  const keys = new Set(members.map((member) => member.split('=', 1)[0]))
  const good = members.length > 0 && members.length <= MAX_MEMBERS && keys.size === members.length
  return good && members.every(isMember) ? members.join(',') : undefined
}

const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

const isMember = (member: string): boolean => {
  const at = member.indexOf('=')
  return KEY.test(member.slice(0, at)) && VALUE.test(member.slice(at + 1))
}
