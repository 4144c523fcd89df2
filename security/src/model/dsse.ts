import { sign, verify, type KeyObject } from 'node:crypto'

/** What Model Signing puts into the envelope: an in-toto statement as JSON. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

export interface Envelope {
  readonly payload: Buffer
  readonly payloadType: string
  readonly signatures: readonly { readonly sig: Buffer }[]
}

/** The hash goes with the curve, as in Sigstore's algorithm registry. */
const HASHES: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
}

/** The envelope as it stands in a Sigstore bundle. Throws an Error for a key that is not ECDSA on P-256, P-384 or P-521. */
export const signedEnvelope = (
  payload: Buffer,
  privateKey: KeyObject,
  payloadType = PAYLOAD_TYPE,
): object => ({
  payload: payload.toString('base64'),
  payloadType,
  signatures: [
    {
      sig: sign(hashFor(privateKey), preAuthenticated(payload, payloadType), privateKey).toString('base64'),
      keyid: '',
    },
  ],
})

/** Throws an Error for a key that is not ECDSA on P-256, P-384 or P-521. */
export const isSignedBy = (
  { payload, payloadType, signatures: [signature, ...more] }: Envelope,
  publicKey: KeyObject,
): boolean =>
  signature !== undefined &&
  more.length === 0 &&
  verify(hashFor(publicKey), preAuthenticated(payload, payloadType), publicKey, signature.sig)

const hashFor = ({ asymmetricKeyDetails }: KeyObject): string => {
  const hash = HASHES[asymmetricKeyDetails?.namedCurve ?? '']
  if (hash !== undefined) return hash
  throw new Error(
    'the key must be ECDSA on P-256, P-384 or P-521; make one with: openssl ecparam -name prime256v1 -genkey -noout -out model.key',
  )
}

/** DSSE 1.0, section "Signature Definition". */
const preAuthenticated = (payload: Buffer, type: string): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])
