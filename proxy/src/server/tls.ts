import { constants, type X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket, type SecureContextOptions } from 'node:tls'
import type { PeerCertificate } from '../core/caller.ts'

/** PEM texts that belong together. */
export interface TlsMaterial {
  readonly cert: string
  readonly key: string
  /** The CAs that client certificates are checked against. Needed unless client certificates are off. */
  readonly clientCa?: string | undefined
  readonly crl?: string | undefined
}

/** `optional`: a client may come without a certificate, but a certificate that it shows must be good. */
export type ClientAuth = 'required' | 'optional' | 'off'

/**
 * The whole set, because a live swap keeps nothing of the former one. Session tickets are off: a resumed session would
 * carry the identity of a handshake that newer material, or a revocation, no longer allows. Level 2 refuses client keys
 * below 112 bits of strength.
 */
export const secureContext = (material: TlsMaterial): SecureContextOptions => ({
  cert: material.cert,
  key: material.key,
  ...(material.clientCa !== undefined && { ca: material.clientCa }),
  ...(material.crl !== undefined && { crl: material.crl }),
  minVersion: 'TLSv1.2',
  honorCipherOrder: true,
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE+AESGCM',
    'ECDHE+CHACHA20',
    '@SECLEVEL=2',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
})

/**
 * The certificate that the handshake verified; undefined when the client showed none, or on a connection without TLS.
 * Read once per connection: the parsed form costs more than a request.
 */
export const peerCertificate = (socket: Socket): PeerCertificate | undefined => {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const known = peers.get(socket)
  if (known !== undefined) return known
  const peer = socket.getPeerX509Certificate()
  if (peer === undefined) return undefined
  const certificate = {
    subjectAltName: peer.subjectAltName ?? '',
    subjectCommonName: commonName(peer),
    fingerprint256: peer.fingerprint256,
    validTo: Date.parse(peer.validTo),
  }
  peers.set(socket, certificate)
  return certificate
}

/** True for a client that showed a certificate which did not pass: only `optional` lets one get so far. */
export const showsBadCertificate = (socket: TLSSocket): boolean =>
  !socket.authorized && socket.getPeerX509Certificate() !== undefined

const peers = new WeakMap<TLSSocket, PeerCertificate>()

/** Only a name that stands alone: of several, nobody can tell which one was meant. */
const commonName = (certificate: X509Certificate): string | undefined => {
  const found: unknown = certificate.toLegacyObject().subject.CN
  return typeof found === 'string' ? found : undefined
}
