/** A token request (RFC 6749, section 4.4) as read, nothing verified. */
export interface ClientRequest {
  readonly id: string
  readonly secret: string
  /** Undefined when the request asks for no particular scope. */
  readonly scopes: readonly string[] | undefined
  /** True when the client used the `Authorization` header, which the answer then has to challenge. */
  readonly basic: boolean
}

export type ClientFormError =
  'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope'

export type ClientForm =
  | { readonly ok: true; readonly request: ClientRequest }
  | { readonly ok: false; readonly error: ClientFormError }

const MAX_FORM = 4096
const MAX_AUTHORIZATION = 4096
const MAX_SCOPES = 64

const wrong = (error: ClientFormError): ClientForm => ({ ok: false, error })

/**
 * Reads a form-encoded client credentials request. The client names itself in the form (`client_secret_post`) or in the
 * header (`client_secret_basic`), never in both; no parameter may stand twice (RFC 6749, sections 2.3 and 3.2).
 */
export const readClientForm = (form: string, authorization: string | undefined): ClientForm => {
  const fields = readForm(form)
  if (fields === undefined) return wrong('invalid_request')
  const grant = fields.get('grant_type')
  if (grant === undefined) return wrong('invalid_request')
  const inForm = fields.has('client_secret')
  if (authorization !== undefined && inForm) return wrong('invalid_request')
  const client = authorization === undefined ? postedClient(fields) : basicClient(authorization)
  if (client === undefined) return wrong('invalid_client')
  if (authorization !== undefined && (fields.get('client_id') ?? client.id) !== client.id)
    return wrong('invalid_request')
  if (grant !== 'client_credentials') return wrong('unsupported_grant_type')
  const scopes = fields
    .get('scope')
    ?.split(' ')
    .filter((scope) => scope !== '')
  if (scopes !== undefined && scopes.length > MAX_SCOPES) return wrong('invalid_scope')
  return { ok: true, request: { ...client, scopes, basic: authorization !== undefined } }
}

type Client = Pick<ClientRequest, 'id' | 'secret'>

const postedClient = (fields: ReadonlyMap<string, string>): Client | undefined => {
  const id = fields.get('client_id')
  const secret = fields.get('client_secret')
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Id and secret are form-encoded before they are joined and put into base64 (RFC 6749, section 2.3.1). */
const basicClient = (authorization: string): Client | undefined => {
  if (authorization.length > MAX_AUTHORIZATION || authorization.slice(0, 6).toLowerCase() !== 'basic ')
    return undefined
  const encoded = authorization.slice(6)
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  const [id, secret, ...rest] = bytes.toString('latin1').split(':').map(decodeField)
  return id === undefined || secret === undefined || rest.length > 0 ? undefined : { id, secret }
}

const readForm = (form: string): ReadonlyMap<string, string> | undefined => {
  if (form.length > MAX_FORM) return undefined
  const fields = new Map<string, string>()
  for (const pair of form.split('&')) {
    const equals = pair.indexOf('=')
    const name = decodeField(pair.slice(0, equals))
    const value = decodeField(pair.slice(equals + 1))
    if (equals < 1 || name === undefined || value === undefined || fields.has(name)) return undefined
    // RFC 6749, section 3.2: a parameter without a value counts as left out.
    if (value !== '') fields.set(name, value)
  }
  return fields
}

const decodeField = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
