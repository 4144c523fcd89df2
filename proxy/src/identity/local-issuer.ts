import { randomUUID } from 'node:crypto'
import type { Identifier } from '../core/caller.ts'
import { isObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { Refusal } from '../core/refusal.ts'
import { accounts, checkAccount } from './accounts.ts'
import type { Account, AccountsOptions } from './accounts.ts'
import { BEARER_CHALLENGE } from './bearer.ts'
import { readClientForm } from './client-form.ts'
import type { ClientFormError, ClientRequest } from './client-form.ts'
import type { Instruments } from './instruments.ts'
import { signingKeys } from './signing-keys.ts'
import type { SigningKeysOptions } from './signing-keys.ts'
import { tokenIdentifier } from './token-identifier.ts'

export interface LocalIssuerOptions extends Omit<SigningKeysOptions, 'keptS'>, AccountsOptions {
  /** The tokens' `iss`, such as `https://guard.example`. */
  readonly issuer: string
  /** The tokens' `aud`. */
  readonly audience: string
  /** Seconds a token lives, 60 to 3600; 900 when absent. */
  readonly lifetimeS?: number
  /** May use `POST /auth`. */
  readonly users: readonly Account[]
  /** May use `POST /oauth/token`. */
  readonly clients: readonly Account[]
}

/** A successful token response (RFC 6749, section 5.1). */
export interface IssuedToken {
  readonly access_token: string
  readonly token_type: 'Bearer'
  /** Seconds. */
  readonly expires_in: number
  readonly scope: string
}

export interface TokenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: IssuedToken | { readonly error: ClientFormError; readonly error_description: string }
}

export interface LocalIssuer {
  /** Knows the tokens issued here; its name is `local`. */
  readonly identifier: Identifier
  /** `POST /auth`. Throws Refusal `body_invalid`, `unauthenticated` or `rate_limited`. */
  auth(body: Json): Promise<IssuedToken>
  /** `POST /oauth/token`, form-encoded. Errors are answers too (RFC 6749, section 5.2). Throws Refusal `rate_limited`. */
  token(form: string, authorization: string | undefined): Promise<TokenAnswer>
  /** `GET /.well-known/jwks.json`. */
  jwks(): { readonly keys: readonly JsonObject[] }
  /** A token for somebody who is already known. */
  issue(account: Omit<Account, 'password'>): Promise<IssuedToken>
  /** Signs with a new key from now on, given as PEM or generated; the old one stays published until its tokens end. */
  rotate(privateKey?: string): void
}

const LEEWAY_S = 5

/** Short-lived signed tokens for those who have no issuer. Throws an Error that says what to change for options that cannot work. */
export const localIssuer = (
  options: LocalIssuerOptions,
  { now = Date.now }: Pick<Instruments, 'now'>,
): LocalIssuer => {
  const { lifetimeS = 900, users, clients } = options
  checkOptions(options)
  const keys = signingKeys({ ...options, keptS: lifetimeS + LEEWAY_S })
  // Together, so that one throttle and one queue bound what logins may cost.
  const known = accounts([...users, ...clients], options)

  const issue = async (account: Omit<Account, 'password'>): Promise<IssuedToken> => {
    checkAccount(account)
    const claims = accessClaims(account, options, { issuedAt: Math.floor(now() / 1000), lifetimeS })
    return {
      access_token: await keys.sign(claims),
      token_type: 'Bearer',
      expires_in: lifetimeS,
      scope: (account.scopes ?? []).join(' '),
    }
  }
  return {
    identifier: localTokens(options, keys, now),
    auth: async (body) => {
      const { username, password } = readLogin(body)
      const account = await known.login(username, password)
      if (account === undefined || !users.includes(account)) throw wrongLogin()
      return issue(account)
    },
    token: async (form, authorization) => {
      const read = readClientForm(form, authorization)
      if (!read.ok) return refused(read.error, authorization !== undefined)
      const { request } = read
      const account = await known.login(request.id, request.secret)
      if (account === undefined || !clients.includes(account)) return refused('invalid_client', request.basic)
      const scopes = grantedScopes(account, request)
      if (scopes === undefined) return refused('invalid_scope', false)
      return { status: 200, headers: NO_STORE, body: await issue({ ...account, scopes }) }
    },
    jwks: () => keys.jwks(),
    issue,
    rotate: (privateKey) => keys.rotate(privateKey),
  }
}

const localTokens = (
  { issuer, audience }: LocalIssuerOptions,
  keys: ReturnType<typeof signingKeys>,
  now: () => number,
): Identifier =>
  tokenIdentifier({
    name: 'local',
    issuers: [
      {
        name: 'local',
        issuer,
        audiences: [audience],
        algorithms: ['ES256', 'EdDSA'],
        leewayS: LEEWAY_S,
        typ: 'at+jwt',
        claims: { tenant: 'tenant', roles: 'roles' },
        keys,
      },
    ],
    cacheEntries: 10_000,
    cacheS: 300,
    now,
  })

interface Lifetime {
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly lifetimeS: number
}

/** The claims of RFC 9068, and what makes a Caller. */
const accessClaims = (
  { name, tenant, roles, scopes = [] }: Omit<Account, 'password'>,
  { issuer, audience }: LocalIssuerOptions,
  { issuedAt, lifetimeS }: Lifetime,
): JsonObject => ({
  iss: issuer,
  aud: audience,
  sub: name,
  client_id: name,
  iat: issuedAt,
  exp: issuedAt + lifetimeS,
  jti: randomUUID(),
  tenant,
  roles,
  scope: scopes.join(' '),
})

const readLogin = (body: Json): { readonly username: string; readonly password: string } => {
  const { username, password, ...rest } = isObject(body) ? body : {}
  if (!isShort(username))
    throw new Refusal('body_invalid', { details: ['/username: a string of 1 to 256 characters'] })
  if (typeof password !== 'string' || password.length > 1024)
    throw new Refusal('body_invalid', { details: ['/password: a string of up to 1024 characters'] })
  if (Object.keys(rest).length > 0)
    throw new Refusal('body_invalid', { details: ['only username and password may be sent'] })
  return { username, password }
}

const wrongLogin = (): Refusal =>
  new Refusal('unauthenticated', {
    cause: new Error('wrong username or password'),
    headers: { 'www-authenticate': BEARER_CHALLENGE },
  })

const isShort = (value: Json | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256

const grantedScopes = (
  { scopes = [] }: Account,
  { scopes: asked }: ClientRequest,
): readonly string[] | undefined => {
  if (asked === undefined) return scopes
  return asked.every((scope) => scopes.includes(scope)) ? [...new Set(asked)] : undefined
}

const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' }

const descriptions: Readonly<Record<ClientFormError, string>> = {
  invalid_request: 'A parameter is missing, doubled or malformed.',
  invalid_client: 'Client authentication failed.',
  unsupported_grant_type: 'Only client_credentials is supported.',
  invalid_scope: 'The client may not have this scope.',
}

const refused = (error: ClientFormError, basic: boolean): TokenAnswer => {
  const challenge = error === 'invalid_client' && basic ? { 'www-authenticate': 'Basic realm="postern"' } : {}
  return {
    status: error === 'invalid_client' ? 401 : 400,
    headers: { ...NO_STORE, ...challenge },
    body: { error, error_description: descriptions[error] },
  }
}

const checkOptions = ({ issuer, audience, lifetimeS = 900, users, clients }: LocalIssuerOptions): void => {
  if (issuer === '' || audience === '') throw new Error('local issuer: give issuer and audience')
  if (!(lifetimeS >= 60 && lifetimeS <= 3600)) throw new Error('local issuer: lifetimeS must be 60 to 3600')
  const names = [...users, ...clients].map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new Error('local issuer: a user and a client have the same name; their tokens would be the same')
}
