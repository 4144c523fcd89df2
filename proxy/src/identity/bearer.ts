/** Longest credential that is looked at, in characters. */
const MAX_TOKEN = 8192

/**
 * The token of an `Authorization: Bearer` header; undefined when the header is absent, of another scheme, longer than
 * 8192 characters, or has anything but one blank before the token. The token's own grammar is for its reader to check.
 */
export const bearerToken = (authorization: string | undefined): string | undefined => {
  if (authorization === undefined || authorization.length > MAX_TOKEN + 7) return undefined
  if (authorization.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const token = authorization.slice(7)
  return token === '' || token.includes(' ') ? undefined : token
}

/** The `WWW-Authenticate` challenge of everything that comes as a bearer token (RFC 6750, section 3). */
export const BEARER_CHALLENGE = 'Bearer realm="postern"'
