import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { AuditFault } from './fault.ts'

/** An auditor's key, and its name in the header of what is encrypted to it. */
export interface AuditorKey {
  readonly key: KeyObject
  /** First 16 hex digits of the SHA-256 of the public key's SPKI DER. */
  readonly id: string
}

const HOW =
  'openssl genpkey -algorithm X25519 -out auditor.key && openssl pkey -in auditor.key -pubout -out auditor.pub'

/** Throws AuditFault, which says what to do, unless `pem` is a public key on X25519, P-256, P-384 or P-521. */
export const auditorPublicKey = (pem: string): AuditorKey => {
  if (pem.includes('PRIVATE KEY'))
    throw new AuditFault(
      "The auditor's key file holds a private key, which must not be here. Give the public one.",
    )
  return named(() => createPublicKey(pem))
}

/** Throws an Error unless `pem` is a private key on one of these curves, encrypted with `passphrase` or not at all. */
export const auditorPrivateKey = (pem: string, passphrase: string | undefined): AuditorKey =>
  named(() => createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) }))

const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

const named = (read: () => KeyObject): AuditorKey => {
  let key: KeyObject
  try {
    key = read()
  } catch {
    // The cause could quote the key.
    throw new AuditFault(`The auditor's key cannot be read: it must be PEM. Make one: ${HOW}`)
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type !== 'x25519' && !(type === 'ec' && CURVES.has(details?.namedCurve)))
    throw new AuditFault(`The auditor's key must be X25519 or P-256, P-384, P-521. Make one: ${HOW}`)
  const der = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
  return { key, id: createHash('sha256').update(der).digest('hex').slice(0, 16) }
}
