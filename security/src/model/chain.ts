import type { X509Certificate } from 'node:crypto'
import { limitOf, nameOf } from './certificate.ts'
import { elements, extensionsOf } from './extensions.ts'
import { shown } from './manifest.ts'

/** Certificates between the one that signed and a root. */
const MAX_BETWEEN = 8
const MIN_RSA = 2048 // Bits.
const MAX_REASONS = 3
const BASIC_CONSTRAINTS = '551d13'
const INTEGER = 0x02

export interface Trusted {
  /** Those that are self-signed are roots; the others may stand between. */
  readonly certificates: readonly X509Certificate[]
  /** When the whole chain must be valid. */
  readonly at: Date
}

/** What a chain may end at when it is trusted. */
export const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey)

/**
 * Throws an Error that says what to do unless issuers lead from the certificate to a root that is trusted (RFC 5280, 6): each valid at that
 * time, a certificate authority that may issue for code, and with a path length that allows what is below. `between` may come from
 * whoever signed. The shortest way counts.
 */
export const requireChain = (
  leaf: X509Certificate,
  { between, trusted }: { readonly between: readonly X509Certificate[]; readonly trusted: Trusted },
): void => {
  const { certificates, at } = trusted
  const late = whyNotValid(leaf, at)
  if (late !== undefined)
    throw new Error(`the certificate that signed ${late}; sign the model again with a new one`)
  if (isSelfSigned(leaf) && certificates.some(({ raw }) => raw.equals(leaf.raw))) return
  // Of self-signed ones only those that are trusted, so that the first one found is the end.
  const issuers = [...certificates, ...between.filter((each) => !isSelfSigned(each))]
  const seen = new Set<X509Certificate>()
  const reasons = new Set<string>()
  let level: readonly X509Certificate[] = [leaf]
  for (let depth = 0; depth <= MAX_BETWEEN && level.length > 0; depth++) {
    const above: X509Certificate[] = []
    for (const child of level)
      for (const issuer of issuers) {
        if (seen.has(issuer) || child.issuer !== issuer.subject) continue
        const reason = whyUnfit(issuer, { child, depth, at })
        if (reason !== undefined) reasons.add(`${nameOf(issuer)} ${reason}`)
        else if (isSelfSigned(issuer)) return
        else {
          seen.add(issuer)
          above.push(issuer)
        }
      }
    level = above
  }
  const why =
    [...reasons].slice(0, MAX_REASONS).join('; ') ||
    `nothing trusted leads to its issuer, ${shown(leaf.issuer.replaceAll('\n', ', '))}`
  throw new Error(`no trusted root certificate stands behind the one that signed (${nameOf(leaf)}): ${why}`)
}

interface Step {
  readonly child: X509Certificate
  /** Certificates between the issuer and the one that signed. */
  readonly depth: number
  readonly at: Date
}

/** Why the issuer does not count; undefined when it does. */
const whyUnfit = (issuer: X509Certificate, { child, depth, at }: Step): string | undefined => {
  const { asymmetricKeyType, asymmetricKeyDetails } = issuer.publicKey
  if (!issuer.ca) return 'is no certificate authority'
  if (!child.checkIssued(issuer)) return `cannot have issued ${nameOf(child)}`
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA)
    return `has an RSA key of fewer than ${MIN_RSA} bits`
  if (!hasStrongHash(child)) return 'signed with a hash that is not SHA-2'
  if (!child.verify(issuer.publicKey)) return 'has another key'
  if (depth > pathLength(issuer)) return 'allows fewer certificates below it'
  return whyNotValid(issuer, at) ?? limitOf(issuer)
}

const whyNotValid = ({ validFromDate, validToDate }: X509Certificate, at: Date): string | undefined => {
  if (at < validFromDate) return `is not valid before ${validFromDate.toISOString()}`
  return at > validToDate ? `was valid until ${validToDate.toISOString()}` : undefined
}

const pathLength = (issuer: X509Certificate): number => {
  const value = extensionsOf(issuer.raw).get(BASIC_CONSTRAINTS)?.value
  const [sequence] = value === undefined ? [] : elements(value)
  const limit = elements(sequence?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === INTEGER)
  return limit === undefined ? Infinity : Number(`0x${limit.content.toString('hex')}`)
}

const hasStrongHash = ({ signatureAlgorithm = '' }: X509Certificate): boolean =>
  /sha(?:256|384|512)|^ed(?:25519|448)$/i.test(signatureAlgorithm)
