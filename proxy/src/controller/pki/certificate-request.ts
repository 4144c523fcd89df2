import 'reflect-metadata'
import { cryptoProvider, Pkcs10CertificateRequest } from '@peculiar/x509'
import { createPublicKey, webcrypto } from 'node:crypto'

cryptoProvider.set(webcrypto)

/** Longest request that is looked at, in bytes. One with a P-256 key and a few names has 600. */
export const MAX_REQUEST = 8192

/** Its message is for the sender: it says what is wrong, and quotes nothing. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
}

const PEM =
  /^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]+-----END \1?CERTIFICATE REQUEST-----\s*$/

const HASHES = ['SHA-256', 'SHA-384', 'SHA-512']

/**
 * The public key of a PEM PKCS#10 request (SubjectPublicKeyInfo, DER), whose holder has signed the request. EC P-256 or Ed25519 only.
 * Everything else in it, names above all, is ignored. Throws RequestError.
 */
export const requestedKey = async (pem: string): Promise<Buffer> => {
  if (pem.length > MAX_REQUEST) throw new RequestError(`the request is longer than ${MAX_REQUEST} bytes`)
  if (!PEM.test(pem)) throw new RequestError('the body must be one PEM certificate request (PKCS#10)')
  const { request, publicKey } = readRequest(pem)
  const good = await request.verify().catch(() => false)
  if (!good) throw new RequestError('the request is not signed by the key that it holds')
  return publicKey
}

const readRequest = (pem: string) => {
  try {
    const base64 = pem.replace(/-----[A-Z ]+-----/g, '').replace(/\s/g, '')
    const request = new Pkcs10CertificateRequest(Buffer.from(base64, 'base64'))
    const publicKey = Buffer.from(request.publicKey.rawData)
    checkKey(publicKey, request.signatureAlgorithm)
    return { request, publicKey }
  } catch (error) {
    if (error instanceof RequestError) throw error
    throw new RequestError('the body is not a PKCS#10 certificate request that can be read')
  }
}

const checkKey = (publicKey: Buffer, signature: Pkcs10CertificateRequest['signatureAlgorithm']): void => {
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  const type = key.asymmetricKeyType
  const curve = key.asymmetricKeyDetails?.namedCurve
  if (type !== 'ed25519' && !(type === 'ec' && curve === 'prime256v1'))
    throw new RequestError('the key must be EC P-256 or Ed25519')
  if (type === 'ec' && !HASHES.includes((signature as { hash?: { name?: string } }).hash?.name ?? ''))
    throw new RequestError('the request must be signed with SHA-256 or better')
}
