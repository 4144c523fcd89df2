import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import {
  assertBundle,
  isBundleWithDsseEnvelope,
  type Bundle,
  type BundleWithDsseEnvelope,
} from '@sigstore/bundle'
import { Bundle as BundleMessage } from '@sigstore/protobuf-specs'
import { nameOf, requireSigner } from './certificate.ts'
import { isSelfSigned, requireChain, type Trusted } from './chain.ts'
import { isSignedBy, PAYLOAD_TYPE, signedEnvelope } from './dsse.ts'
import { requireIdentity, type Keyless } from './keyless.ts'
import { shown, type Manifest } from './manifest.ts'
import { manifestIn, statementOf } from './statement.ts'

/** OpenSSF Model Signing 1.0: a DSSE envelope with an in-toto statement, in a Sigstore bundle. */
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const MAX_CERTIFICATES = 16

/** Whose signature counts: the three methods of Model Signing. */
export type Trust =
  | { readonly method: 'key'; readonly publicKey: KeyObject }
  | ({ readonly method: 'certificate' } & Trusted)
  | ({ readonly method: 'sigstore' } & Keyless)

export interface Signed {
  readonly manifest: Manifest
  /**
   * Who signed. For a key the SHA-256 of it; `certificate SUBJECT (SHA-256 FINGERPRINT)`; or `identity NAME (ISSUER)`.
   */
  readonly signer: string
}

export interface SigningKey {
  readonly privateKey: KeyObject
  /** The certificate of the key, then those between it and a root. None: signed by key alone. */
  readonly certificates?: readonly X509Certificate[]
}

/**
 * The signature file as text. Throws an Error for a key that is not ECDSA on P-256, P-384 or P-521, and for a certificate of another key
 * or one that may not sign.
 */
export const signManifest = (manifest: Manifest, { privateKey, certificates = [] }: SigningKey): string =>
  JSON.stringify({
    mediaType: BUNDLE,
    verificationMaterial: {
      ...(certificates.length === 0
        ? { publicKey: { hint: keyId(createPublicKey(privateKey)) } }
        : { x509CertificateChain: { certificates: chainOf(certificates, privateKey) } }),
      tlogEntries: [],
    },
    dsseEnvelope: signedEnvelope(Buffer.from(JSON.stringify(statementOf(manifest))), privateKey),
  })

/** What was signed and who did. Throws an Error that says why the signature is not good. */
export const openSignature = (text: string, trust: Trust): Signed => {
  const bundle = parse(text)
  const signer = signerOf(bundle, trust)
  const { payload, payloadType } = bundle.content.dsseEnvelope
  if (payloadType !== PAYLOAD_TYPE)
    throw new Error(`the signature is over ${JSON.stringify(payloadType)}, not a statement`)
  return { manifest: manifestIn(JSON.parse(payload.toString('utf8')) as unknown), signer }
}

const parse = (text: string): BundleWithDsseEnvelope => {
  let bundle: Bundle
  try {
    // Not bundleFromJSON: it refuses the chains of certificates that Model Signing puts into bundles of this version.
    const message = BundleMessage.fromJSON(JSON.parse(text))
    assertBundle(message)
    bundle = message
  } catch (cause) {
    throw new Error('the signature is no Sigstore bundle', { cause })
  }
  if (bundle.mediaType !== BUNDLE) throw new Error(`the signature is no Sigstore bundle of version 0.3`)
  if (!isBundleWithDsseEnvelope(bundle)) throw new Error('the signature has no DSSE envelope')
  return bundle
}

const signerOf = (bundle: BundleWithDsseEnvelope, trust: Trust): string => {
  const { content, tlogEntries } = bundle.verificationMaterial
  const made = METHODS[content.$case]
  if (made !== trust.method)
    throw new Error(
      `the signature was made with ${MADE[made]}, and ${ASKED[trust.method]} was given to verify it`,
    )
  if (trust.method !== 'sigstore' && tlogEntries.length > 0)
    throw new Error('the signature has entries of a transparency log, which only keyless signatures have')
  switch (trust.method) {
    case 'key':
      return ofKey(bundle, trust.publicKey)
    case 'certificate':
      return certified(bundle, trust)
    case 'sigstore':
      requireIdentity(bundle, trust)
      return `identity ${trust.identity} (${trust.identityProvider})`
  }
}

const ofKey = (bundle: BundleWithDsseEnvelope, publicKey: KeyObject): string => {
  const { content } = bundle.verificationMaterial
  const id = keyId(publicKey)
  // Versions before 1.1 wrote no hint.
  const hint = content.$case === 'publicKey' && content.publicKey.hint !== '' ? content.publicKey.hint : id
  if (!isSignedBy(bundle.content.dsseEnvelope, publicKey) || hint !== id)
    throw new Error(
      `the signature is not by this key, whose SHA-256 is ${id}${hint === id ? '' : `; it names ${shown(hint)}`}`,
    )
  return id
}

const METHODS = { publicKey: 'key', x509CertificateChain: 'certificate', certificate: 'sigstore' } as const
const MADE = { key: 'a key', certificate: 'a certificate', sigstore: 'an identity (keyless)' } as const
const ASKED = {
  key: 'a public key',
  certificate: 'a certificate chain',
  sigstore: 'a trusted root of Sigstore',
} as const

const certified = (bundle: BundleWithDsseEnvelope, trusted: Trusted): string => {
  const { content } = bundle.verificationMaterial
  const listed = content.$case === 'x509CertificateChain' ? content.x509CertificateChain.certificates : []
  if (listed.length > MAX_CERTIFICATES)
    throw new Error(`the signature has more than ${MAX_CERTIFICATES} certificates`)
  const [leaf, ...between] = listed.map(({ rawBytes }) => certificateIn(rawBytes))
  if (leaf === undefined) throw new Error('the signature has no certificate')
  requireChain(leaf, { between, trusted })
  requireSigner(leaf, 'unless-limited')
  if (!isSignedBy(bundle.content.dsseEnvelope, leaf.publicKey))
    throw new Error('the signature is not by its certificate')
  return `certificate ${nameOf(leaf)} (SHA-256 ${leaf.fingerprint256.replaceAll(':', '').toLowerCase()})`
}

const certificateIn = (der: Uint8Array): X509Certificate => {
  try {
    const certificate = new X509Certificate(der)
    // The key is decoded only now, and throws when it is malformed.
    if (certificate.publicKey.type !== 'public') throw new Error('not a public key')
    return certificate
  } catch (cause) {
    throw new Error('the signature has a certificate that is malformed', { cause })
  }
}

/** Roots are left out: who verifies has them. */
const chainOf = (certificates: readonly X509Certificate[], privateKey: KeyObject): readonly object[] => {
  const [leaf, ...between] = certificates
  if (leaf?.checkPrivateKey(privateKey) !== true)
    throw new Error('the signing certificate is not that of the key')
  requireSigner(leaf, 'unless-limited')
  return [leaf, ...between.filter((each) => !isSelfSigned(each))].map(({ raw }) => ({
    rawBytes: raw.toString('base64'),
  }))
}

/** SHA-256 of the public key as PEM, in hex: what the bundle calls its hint, and a registry the signer. */
export const keyId = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'pem' }))
    .digest('hex')
