import type { Caller, Identifier, PeerCertificate } from '../core/caller.ts'
import { isCallerString, outOfBounds } from './caller-fields.ts'
import { grantFor } from './grants.ts'
import type { Grant } from './grants.ts'
import { badCredential } from './refuse.ts'
import { readAltNames } from './subject-alt-name.ts'

/** The names are those of Node's subject alternative name string. */
const kinds = {
  spiffe: { kind: 'URI', separator: '/' },
  dns: { kind: 'DNS', separator: '.' },
  email: { kind: 'email', separator: '@' },
} as const

export interface CertificateOptions {
  /** Which name in the certificate is the caller. Exactly one of its kind must be there. */
  readonly subject: keyof typeof kinds
  /** SPIFFE trust domains that are accepted; needed for `spiffe`. */
  readonly trustDomains?: readonly string[]
  /** Matched against the SPIFFE path without its first slash (`ns/{tenant}/sa/*`), the DNS name (`*.batch.example`) or the address (`*@example.com`). */
  readonly grants?: readonly Grant[]
  /** For callers whose grant names no tenant; without it they are refused. */
  readonly defaultTenant?: string
  /** Milliseconds since the epoch; `Date.now` when absent. */
  readonly now?: () => number
}

/**
 * Client certificates that TLS has verified. Their end is checked at every request, because a connection may outlive it.
 * Throws an Error that says what to change for options that cannot work.
 */
export const certificateIdentifier = (options: CertificateOptions): Identifier => {
  checkOptions(options)
  const { now = Date.now } = options
  return {
    name: 'certificate',
    challenge: undefined,
    identify: async ({ certificate }) => {
      if (certificate === undefined) return undefined
      if (!(certificate.validTo > now())) throw badCredential('certificate has ended')
      return Promise.resolve(callerOf(certificate, options))
    },
    close: () => Promise.resolve(),
  }
}

const callerOf = (certificate: PeerCertificate, options: CertificateOptions): Caller => {
  const { kind, separator } = kinds[options.subject]
  const names = readAltNames(certificate.subjectAltName)?.filter((name) => name.kind === kind)
  const [name] = names ?? []
  if (name === undefined || names?.length !== 1)
    throw badCredential(`certificate has not exactly one ${kind} name`)
  const { subject, path } = readName(name.value, options)
  const { tenant = options.defaultTenant, roles, scopes } = grantFor(options.grants ?? [], path, separator)
  if (!isCallerString(subject) || !isCallerString(tenant))
    throw badCredential('certificate gives no tenant, or its name is too long')
  return { subject, tenant, roles, scopes, via: 'certificate' }
}

/** The caller's subject, and the part of it that grants are matched against. */
interface Name {
  readonly subject: string
  readonly path: string
}

const readName = (value: string, { subject, trustDomains = [] }: CertificateOptions): Name => {
  switch (subject) {
    case 'spiffe':
      return readSpiffe(value, trustDomains)
    case 'dns':
      return readDns(value)
    case 'email':
      return readEmail(value)
  }
}

// SPIFFE-ID, section 2: lower-case trust domain, path segments without encoding; dot segments and empty ones are errors.
const SPIFFE = /^spiffe:\/\/([a-z0-9._-]{1,255})\/([A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*)$/
const DNS = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$/

const readSpiffe = (id: string, trustDomains: readonly string[]): Name => {
  const [, trustDomain, path] = (id.length <= 2048 && SPIFFE.exec(id)) || []
  if (
    trustDomain === undefined ||
    path === undefined ||
    path.split('/').some((part) => part === '.' || part === '..')
  )
    throw badCredential('certificate has no well-formed SPIFFE ID')
  if (!trustDomains.includes(trustDomain)) throw badCredential('certificate is of another trust domain')
  return { subject: id, path }
}

const readDns = (value: string): Name => {
  const name = value.toLowerCase()
  if (value.length > 253 || !DNS.test(name)) throw badCredential('certificate has no plain DNS name')
  return { subject: name, path: name }
}

const readEmail = (value: string): Name => {
  if (value.length > 320 || !EMAIL.test(value)) throw badCredential('certificate has no plain e-mail address')
  const [local = '', domain = ''] = value.split('@')
  const address = `${local}@${domain.toLowerCase()}`
  return { subject: address, path: address }
}

const checkOptions = ({
  subject,
  trustDomains = [],
  grants = [],
  defaultTenant,
}: CertificateOptions): void => {
  if (subject === 'spiffe' && trustDomains.length === 0)
    throw new Error('certificate: list the SPIFFE trustDomains to accept')
  if (
    defaultTenant === undefined &&
    !grants.some(({ match, tenant }) => tenant ?? match.includes('{tenant}'))
  )
    throw new Error('certificate: give a defaultTenant, or grants that name a tenant')
  for (const { match, tenant = 'x', roles, scopes = [] } of grants) {
    const wrong = outOfBounds({ subject: match, tenant, roles, scopes, via: 'certificate' })
    if (wrong !== undefined)
      throw new Error(`certificate: a grant's ${wrong} is empty, too long or has control characters`)
  }
}
