import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle'
import { toSignedEntity, Verifier, type TrustMaterial } from '@sigstore/verify'
import { modelDigest, type Manifest, type Resource } from './manifest.ts'

/** OpenSSF Model Signing 1.0: a DSSE envelope with an in-toto statement, in a Sigstore bundle. */
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const PAYLOAD = 'application/vnd.in-toto+json'
const STATEMENT = 'https://in-toto.io/Statement/v1'
const PREDICATE = 'https://model_signing/signature/v1.0'

/** The signature file as text. Throws an Error for a key that is not ECDSA on P-256. */
export const signManifest = (manifest: Manifest, privateKey: KeyObject): string => {
  requireP256(privateKey)
  const payload = Buffer.from(JSON.stringify(statementOf(manifest)))
  const signature = sign('sha256', preAuthenticated(payload), privateKey)
  return JSON.stringify({
    mediaType: BUNDLE,
    verificationMaterial: { publicKey: { hint: keyId(createPublicKey(privateKey)) }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    },
  })
}

/** What the key signed. Throws an Error that says why the signature is not good. */
export const openSignature = (bundle: string, publicKey: KeyObject): Manifest => {
  requireP256(publicKey)
  const parsed = parse(bundle)
  if (!isBundleWithDsseEnvelope(parsed)) throw new Error('the signature has no DSSE envelope')
  const entity = toSignedEntity(parsed)
  // A key that is given by hand needs no transparency log, and one that names a log or a certificate is of another kind.
  if (entity.key.$case !== 'public-key')
    throw new Error(
      'the signature was made with a certificate; only signatures made with a key can be verified',
    )
  try {
    new Verifier(trusting(publicKey), { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(
      entity,
    )
  } catch (cause) {
    throw new Error('the signature is not by this key', { cause })
  }
  const { payload, payloadType } = parsed.content.dsseEnvelope
  if (payloadType !== PAYLOAD)
    throw new Error(`the signature is over ${JSON.stringify(payloadType)}, not a statement`)
  return manifestIn(JSON.parse(payload.toString('utf8')) as unknown)
}

/** SHA-256 of the public key as PEM, in hex: what the bundle calls its hint, and a registry the signer. */
export const keyId = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'pem' }))
    .digest('hex')

const requireP256 = ({ asymmetricKeyDetails }: KeyObject): void => {
  if (asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error(
      'the key must be ECDSA on P-256; make one with: openssl ecparam -name prime256v1 -genkey -noout -out model.key',
    )
}

const parse = (bundle: string): ReturnType<typeof bundleFromJSON> => {
  try {
    return bundleFromJSON(JSON.parse(bundle))
  } catch (cause) {
    throw new Error('the signature is no Sigstore bundle', { cause })
  }
}

const trusting = (publicKey: KeyObject): TrustMaterial => ({
  certificateAuthorities: [],
  timestampAuthorities: [],
  tlogs: [],
  ctlogs: [],
  publicKey: () => ({ publicKey, validFor: () => true }),
})

/** DSSE 1.0, section "Signature Definition". */
const preAuthenticated = (payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD.length} ${PAYLOAD} ${payload.length} `), payload])

const statementOf = ({ name, resources, ignored }: Manifest) => ({
  _type: STATEMENT,
  subject: [{ name, digest: { sha256: modelDigest(resources) } }],
  predicateType: PREDICATE,
  predicate: {
    serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: ignored },
    resources: resources.map(({ name: file, digest }) => ({ name: file, algorithm: 'sha256', digest })),
  },
})

/** The statement, checked against itself: its subject must be the digest of its resources. */
const manifestIn = (statement: unknown): Manifest => {
  const { _type, subject, predicateType, predicate } = record(statement)
  if (_type !== STATEMENT || predicateType !== PREDICATE)
    throw new Error('the statement is not about a model')
  const { serialization, resources: listed } = record(predicate)
  const { method, hash_type, ignore_paths: ignored = [] } = record(serialization)
  if (method !== 'files' || hash_type !== 'sha256')
    throw new Error(
      'the statement counts files in another way than SHA-256 of each; sign with the method files',
    )
  const [only, ...more] = array(subject).map(record)
  if (only === undefined || more.length > 0) throw new Error('the statement must have one subject')
  const resources = array(listed).map(resourceOf)
  if (new Set(resources.map(({ name }) => name)).size !== resources.length)
    throw new Error('the statement names a file twice')
  if (record(only['digest'])['sha256'] !== modelDigest(resources))
    throw new Error('the statement contradicts itself: its digest is not that of its files')
  return { name: text(only['name']), resources, ignored: array(ignored).map(text) }
}

const resourceOf = (value: unknown): Resource => {
  const { name, algorithm, digest } = record(value)
  if (algorithm !== 'sha256' || !/^[0-9a-f]{64}$/.test(text(digest)))
    throw new Error('the statement has a file without a SHA-256')
  return { name: insideModel(text(name)), digest: text(digest) }
}

/** Every step of the path has a name, so that it cannot lead out of the model. */
const insideModel = (path: string): string => {
  if (path.split('/').some((step) => ['', '.', '..'].includes(step)) || path.includes('\0'))
    throw new Error('the statement names a file outside of the model')
  return path
}

const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('the statement is malformed')
  return value as Record<string, unknown>
}

const array = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Error('the statement is malformed')
  return value as readonly unknown[]
}

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new Error('the statement is malformed')
  return value
}
