import 'reflect-metadata'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { SubjectAlternativeNameExtension, X509Certificate as Parsed } from '@peculiar/x509'

/** What proves who this workload is, as PEM texts that belong together. */
export interface Material {
  /** The leaf first, then its intermediates. */
  readonly certificate: string
  /** PKCS #8. */
  readonly key: string
  /** The authorities of the trust domain: several while one takes over from another. */
  readonly ca: string
}

export interface Expected {
  /** Any when absent. */
  readonly trustDomain?: string
  /** Any of the trust domain when absent. */
  readonly spiffeId?: string
}

export interface Identity extends Material {
  readonly spiffeId: string
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
}

const MAX_CHAIN = 8
const MAX_AUTHORITIES = 64
const MAX_PEM_CHARACTERS = 512 * 1024
const MIN_RSA_BITS = 2048

/** The clock that signed may be ahead of ours by this much. */
const CLOCK_LEEWAY_MS = 60_000

/** Both, where a certificate says what it is for: it serves and it calls (SPIFFE X509-SVID, 4.4). */
const USES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']

/**
 * Checks that certificate, key and authorities fit together and are valid at `now`: an X.509-SVID (one URI SAN, not a CA) whose
 * chain ends at one of the authorities. Throws Error that says what does not fit, without key material.
 */
export const readIdentity = (material: Material, expected: Expected, now: number): Identity => {
  const chain = certificates(material.certificate, 'certificate', MAX_CHAIN)
  const authorities = certificates(material.ca, 'ca', MAX_AUTHORITIES)
  const [leaf] = chain
  if (leaf === undefined) throw new Error('there is no certificate')
  if (leaf.ca) throw new Error('the certificate is one of an authority, not of a workload')
  checkKey(leaf, material.key)
  checkUses(leaf)
  const spiffeId = onlyUri(leaf)
  checkName(spiffeId, expected)
  checkChain(chain, authorities, now)
  // What OpenSSL would refuse must not get to where a server reads it.
  createSecureContext({ cert: material.certificate, key: material.key, ca: material.ca })
  return { ...material, spiffeId, notBefore: Date.parse(leaf.validFrom), notAfter: Date.parse(leaf.validTo) }
}

const certificates = (pem: string, what: string, most: number): readonly X509Certificate[] => {
  if (pem.length > MAX_PEM_CHARACTERS)
    throw new Error(`${what} is longer than ${MAX_PEM_CHARACTERS} characters`)
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new Error(`${what} holds no certificate in PEM`)
  if (blocks.length > most) throw new Error(`${what} holds more than ${most} certificates`)
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new Error(`${what} holds a certificate that cannot be read`, { cause })
    }
  })
}

const checkKey = (leaf: X509Certificate, pem: string): void => {
  const key = createPrivateKey(pem)
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  const strong =
    (key.asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS) ||
    (key.asymmetricKeyType === 'ec' && ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve ?? '')) ||
    key.asymmetricKeyType === 'ed25519'
  if (!strong) throw new Error('the key is neither EC P-256 or more nor RSA of 2048 bits or more nor Ed25519')
  if (!leaf.checkPrivateKey(key)) throw new Error('the certificate is not for our key')
}

/** Node names the extended key usages `keyUsage`. */
const checkUses = (leaf: X509Certificate): void => {
  const uses = leaf.keyUsage as readonly string[] | undefined
  if (uses !== undefined && !USES.every((use) => uses.includes(use)))
    throw new Error('the certificate is not for servers and clients both')
}

const onlyUri = (leaf: X509Certificate): string => {
  const names = new Parsed(leaf.raw).getExtension(SubjectAlternativeNameExtension)?.names.items ?? []
  const uris = names.filter(({ type }) => type === 'url').map(({ value }) => value)
  const [uri] = uris
  if (uri === undefined || uris.length !== 1)
    throw new Error('the certificate must have exactly one URI name')
  return uri
}

/** SPIFFE-ID, 2: lower-case trust domain, path segments of letters, digits, dot, dash and underscore. */
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[a-zA-Z0-9._-]{1,512}){1,16})$/

const checkName = (spiffeId: string, expected: Expected): void => {
  const [, domain, path = ''] = SPIFFE_ID.exec(spiffeId.slice(0, 2048)) ?? []
  if (domain === undefined || path.split('/').some((step) => step === '.' || step === '..'))
    throw new Error('the URI name of the certificate is not the SPIFFE ID of a workload')
  if (expected.trustDomain !== undefined && expected.trustDomain !== domain)
    throw new Error(`the certificate is of the trust domain ${domain}, not ${expected.trustDomain}`)
  if (expected.spiffeId !== undefined && expected.spiffeId !== spiffeId)
    throw new Error(`the certificate is for ${spiffeId}, not ${expected.spiffeId}`)
}

/** Each certificate is signed by the next, the last by an authority, and all are valid now. */
const checkChain = (
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  now: number,
): void => {
  for (const [index, certificate] of chain.entries()) {
    checkTime(certificate, now)
    const next = chain[index + 1]
    const issuers = next === undefined ? authorities.filter((authority) => validAt(authority, now)) : [next]
    const itself = next === undefined && authorities.some(({ raw }) => raw.equals(certificate.raw))
    if (!itself && !issuers.some((issuer) => signs(issuer, certificate)))
      throw new Error(
        next === undefined
          ? 'the certificate is not signed by an authority that came with it'
          : 'the chain of certificates is not in order',
      )
  }
}

const signs = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

const checkTime = ({ validFrom, validTo }: X509Certificate, now: number): void => {
  if (Date.parse(validTo) <= now) throw new Error(`the certificate expired at ${validTo}`)
  if (Date.parse(validFrom) > now + CLOCK_LEEWAY_MS)
    throw new Error(`the certificate is valid from ${validFrom} only: is the clock right?`)
}

const validAt = ({ validFrom, validTo }: X509Certificate, now: number): boolean =>
  Date.parse(validFrom) <= now + CLOCK_LEEWAY_MS && Date.parse(validTo) > now
