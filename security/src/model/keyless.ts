import { X509Certificate } from 'node:crypto'
import { assertBundleLatest, type Bundle } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import {
  toSignedEntity,
  toTrustMaterial,
  VerificationError,
  Verifier,
  type TrustMaterial,
} from '@sigstore/verify'
import { requireSigner } from './certificate.ts'
import { elements, extensionsOf, type Extension } from './extensions.ts'
import { shown } from './manifest.ts'

export interface Keyless {
  /** Certificate authorities, logs and time stamps of a Sigstore instance. */
  readonly trusted: TrustMaterial
  /** The alternative name of the certificate: an address or a URI, compared byte by byte. */
  readonly identity: string
  /** The OpenID Connect issuer that vouched for it, compared byte by byte. */
  readonly identityProvider: string
}

/** Of each kind; Sigstore writes one. Checking is quadratic in them. */
const MAX_PROOFS = 8

const ALTERNATIVE_NAME = '551d11'
/** Names of people and programs in Fulcio's certificates: RFC 822 addresses, URIs, and other names with a text in them. */
const [EMAIL, URI, OTHER] = [0x81, 0x86, 0xa0]
/** 1.3.6.1.4.1.57264.1.7, .8 and .1 (Fulcio's object identifiers): user name, issuer, and issuer as it was written before. */
const USER_NAME = '2b0601040183bf300107'
const ISSUER = '2b0601040183bf300108'
const ISSUER_V1 = '2b0601040183bf300101'

/** Throws an Error for what is no trusted root of Sigstore, or lacks certificate authorities or logs. */
export const trustedRootIn = (json: string): TrustMaterial => {
  const parsed = JSON.parse(json) as { readonly mediaType?: unknown }
  if (
    typeof parsed.mediaType !== 'string' ||
    !parsed.mediaType.startsWith('application/vnd.dev.sigstore.trustedroot')
  )
    throw new Error('it has another media type')
  const material = toTrustMaterial(TrustedRoot.fromJSON(parsed))
  const { certificateAuthorities, tlogs, ctlogs } = material
  if ([certificateAuthorities, tlogs, ctlogs].some(({ length }) => length === 0))
    throw new Error('it must have certificateAuthorities, tlogs and ctlogs')
  return material
}

/**
 * Throws an Error that says why the signature is not by this identity: the certificate must come from an authority of the trusted root
 * and be in a certificate log; the signature must be in a transparency log; and the log's promise or a time stamp must say that it was
 * made while the certificate was valid.
 */
export const requireIdentity = (bundle: Bundle, { trusted, identity, identityProvider }: Keyless): void => {
  try {
    assertBundleLatest(bundle)
  } catch (cause) {
    throw new Error('the signature has no proof that a transparency log lists it', { cause })
  }
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial
  if (Math.max(tlogEntries.length, timestampVerificationData?.rfc3161Timestamps.length ?? 0) > MAX_PROOFS)
    throw new Error(`the signature has more than ${MAX_PROOFS} log entries or time stamps`)
  const leaf = verifiedLeaf(bundle, trusted)
  requireSigner(leaf, 'named')
  const extensions = extensionsOf(leaf.raw)
  const name = nameIn(extensions.get(ALTERNATIVE_NAME))
  const issuer = issuerIn(extensions)
  if (!name.equals(Buffer.from(identity)) || !issuer.equals(Buffer.from(identityProvider)))
    throw new Error(
      `the signature is by ${shown(name.toString())} of ${shown(issuer.toString())}, not by ${identity} of ${identityProvider}`,
    )
}

const verifiedLeaf = (bundle: Bundle, trusted: TrustMaterial): X509Certificate => {
  const { content } = bundle.verificationMaterial
  try {
    new Verifier(trusted).verify(toSignedEntity(bundle))
    // Also what OpenSSL would not read as a certificate is malformed.
    return new X509Certificate(content.$case === 'certificate' ? content.certificate.rawBytes : '')
  } catch (cause) {
    throw new Error(`the signature does not hold under this trusted root: ${reasonOf(cause)}`, { cause })
  }
}

const REASONS: Readonly<Record<VerificationError['code'], string>> = {
  CERTIFICATE_ERROR:
    'its certificate is not from there, not in a certificate log, or was not valid when it signed',
  PUBLIC_KEY_ERROR: 'its key is not known there',
  SIGNATURE_ERROR: 'what was signed was changed',
  TIMESTAMP_ERROR: 'no log and no time stamp there says when it was made',
  TLOG_BODY_ERROR: 'the log entry is of another signature',
  TLOG_ERROR: 'no log entry proves it',
  TLOG_INCLUSION_PROMISE_ERROR: 'the log entry is not from a log of it',
  TLOG_INCLUSION_PROOF_ERROR: 'the proof of the log is not good',
  TLOG_MISSING_INCLUSION_ERROR: 'the log entry has no proof',
  NOT_IMPLEMENTED_ERROR: 'it is of a kind that cannot be checked',
}

const reasonOf = (cause: unknown): string =>
  cause instanceof VerificationError ? REASONS[cause.code] : 'it is malformed'

/** The one name of the certificate; nothing when it has none, several, or one of another kind. */
const nameIn = (extension: Extension | undefined): Buffer => {
  const [sequence] = extension === undefined ? [] : elements(extension.value)
  const [name, ...more] = sequence === undefined ? [] : elements(sequence.content)
  if (name === undefined || more.length > 0) return Buffer.alloc(0)
  if (name.tag === EMAIL || name.tag === URI) return name.content
  if (name.tag !== OTHER) return Buffer.alloc(0)
  const [id, value] = elements(name.content)
  return id?.content.toString('hex') === USER_NAME ? textIn(value?.content) : Buffer.alloc(0)
}

const issuerIn = (extensions: ReadonlyMap<string, Extension>): Buffer => {
  const issuer = extensions.get(ISSUER)
  return issuer === undefined ? (extensions.get(ISSUER_V1)?.value ?? Buffer.alloc(0)) : textIn(issuer.value)
}

const textIn = (der: Buffer | undefined): Buffer => {
  const [text] = der === undefined ? [] : elements(der)
  return text?.content ?? Buffer.alloc(0)
}
