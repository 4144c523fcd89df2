import { X509Certificate } from 'node:crypto'
import type { Material } from './material.ts'
import { lengthFields } from './protobuf.ts'

/** One identity of a message of the SPIFFE Workload API, decoded but not checked. */
export interface Svid extends Material {
  readonly spiffeId: string
  /** Which of several it is, in an operator's words; empty when there is none. */
  readonly hint: string
}

const MAX_SVIDS = 64
const MAX_CERTIFICATES = 64
const MAX_TEXT = 2048

/**
 * The identities of an `X509SVIDResponse` (workload.proto: svids = 1). Federated bundles and CRLs are not read: callers of
 * other trust domains are not trusted. Throws Error for a message that is not well formed, or with an identity that lacks a part.
 */
export const readSvids = (message: Uint8Array): readonly Svid[] => {
  const svids = lengthFields(message).filter(({ number }) => number === 1)
  if (svids.length > MAX_SVIDS) throw new Error(`the message has more than ${MAX_SVIDS} identities`)
  return svids.map(({ bytes }) => readSvid(bytes))
}

/** X509SVID: spiffe_id = 1, x509_svid = 2, x509_svid_key = 3, bundle = 4, hint = 5; of a field that comes twice the last counts. */
const readSvid = (message: Uint8Array): Svid => {
  const fields = new Map(lengthFields(message).map(({ number, bytes }) => [number, bytes]))
  const part = (number: number): Uint8Array => {
    const bytes = fields.get(number)
    if (bytes === undefined || bytes.length === 0) throw new Error('an identity lacks a part')
    return bytes
  }
  return {
    spiffeId: text(part(1)),
    certificate: pemOf(part(2)),
    key: pem('PRIVATE KEY', part(3)),
    ca: pemOf(part(4)),
    hint: text(fields.get(5) ?? new Uint8Array()),
  }
}

const text = (bytes: Uint8Array): string => {
  if (bytes.length > MAX_TEXT) throw new Error('a name is too long')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('a name is not UTF-8')
  }
}

/** Certificates in DER, one after the other. */
const pemOf = (ders: Uint8Array): string => {
  const certificates: string[] = []
  for (let at = 0; at < ders.length;) {
    if (certificates.length >= MAX_CERTIFICATES) throw new Error('there are too many certificates')
    const end = at + derLength(ders.subarray(at))
    if (end > ders.length) throw new Error('a certificate is cut short')
    certificates.push(readCertificate(ders.subarray(at, end)))
    at = end
  }
  return certificates.join('')
}

const readCertificate = (der: Uint8Array): string => {
  try {
    return new X509Certificate(der).toString()
  } catch {
    throw new Error('a certificate cannot be read')
  }
}

/** Bytes of the ASN.1 SEQUENCE that begins here, its header included. */
const derLength = (bytes: Uint8Array): number => {
  const [tag, first = 0] = bytes
  if (tag !== 0x30 || bytes.length < 2) throw new Error('a certificate cannot be read')
  if (first < 0x80) return 2 + first
  const octets = first & 0x7f
  if (octets < 1 || octets > 3 || bytes.length < 2 + octets) throw new Error('a certificate cannot be read')
  return bytes.subarray(2, 2 + octets).reduce((length, byte) => length * 256 + byte, 0) + 2 + octets
}

const pem = (label: string, der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
