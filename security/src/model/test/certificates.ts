import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { der, oid, sequence, utf8 } from './der.ts'

export interface Authority {
  readonly name: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  /** DER. */
  readonly certificate: Buffer
}

export interface Request {
  readonly subject: string
  /** Of a new key on P-256 when absent. */
  readonly keys?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  /** Signs itself when absent. */
  readonly issuer?: Authority
  readonly from?: Date
  readonly to?: Date
  readonly extensions?: readonly Buffer[]
  readonly hash?: 'sha1' | 'sha256'
  /** Log of certificates that gives a signed certificate timestamp (RFC 6962). */
  readonly log?: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
}

export const FROM = new Date('2026-01-01T00:00:00Z')
export const TO = new Date('2027-01-01T00:00:00Z')

const ALGORITHMS = {
  'sha1 ec': '1.2.840.10045.4.1',
  'sha256 ec': '1.2.840.10045.4.3.2',
  'sha256 rsa': '1.2.840.113549.1.1.11',
  'sha1 rsa': '1.2.840.113549.1.1.5',
} as const

export const newKeys = (namedCurve = 'prime256v1'): NonNullable<Request['keys']> =>
  generateKeyPairSync('ec', { namedCurve })

/** A real certificate, and its key. */
export const issue = (request: Request): Authority => {
  const { subject: name, keys = newKeys(), hash = 'sha256', issuer, log } = request
  const extensions = [
    extension('2.5.29.14', der(0x04, keyIdentifier(keys.publicKey))),
    ...(issuer === undefined
      ? []
      : [extension('2.5.29.35', sequence(der(0x80, keyIdentifier(issuer.publicKey))))]),
    ...(request.extensions ?? []),
  ]
  const signer = issuer ?? { name, ...keys }
  const kind = signer.privateKey.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'
  const algorithm = sequence(oid(ALGORITHMS[`${hash} ${kind}`]))
  const body = (all: readonly Buffer[]): Buffer =>
    sequence(
      der(0xa0, der(0x02, Buffer.of(2))),
      der(0x02, Buffer.from('0102030405', 'hex')),
      ...[algorithm, nameOf(signer.name), sequence(time(request.from ?? FROM), time(request.to ?? TO))],
      nameOf(name),
      spki(keys.publicKey),
      der(0xa3, sequence(...all)),
    )
  const logged =
    log === undefined
      ? extensions
      : [...extensions, timestamps({ log, issuer: signer.publicKey, body: body(extensions) })]
  const tbs = body(logged)
  const signature = der(0x03, Buffer.of(0), sign(hash, tbs, signer.privateKey))
  return { name, ...keys, certificate: sequence(tbs, algorithm, signature) }
}

export const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.of(0xff))] : []), der(0x04, value))

const DIGITAL_SIGNATURE = 0x80
const CERTIFICATE_SIGN = 0x04

const keyUsage = (bits: number): Buffer => extension('2.5.29.15', der(0x03, Buffer.of(0, bits)), true)

export const forSignatures = keyUsage(DIGITAL_SIGNATURE)
export const forKeyAgreement = keyUsage(0x08)
export const forCode = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.3')))
export const forServers = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')))

/** What makes an authority. `below`: how many others may stand between it and the last one. */
export const asAuthority = (below?: number): readonly Buffer[] => [
  extension(
    '2.5.29.19',
    sequence(der(0x01, Buffer.of(0xff)), ...(below === undefined ? [] : [der(0x02, Buffer.of(below))])),
    true,
  ),
  keyUsage(CERTIFICATE_SIGN),
]

export const pem = (certificate: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(certificate.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`

export const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

export const sha256 = (...parts: readonly Buffer[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest()

const keyIdentifier = (key: KeyObject): Buffer => sha256(spki(key)).subarray(0, 20)

const nameOf = (name: string): Buffer =>
  name === '' ? sequence() : sequence(der(0x31, sequence(oid('2.5.4.3'), utf8(name))))

/** UTCTime, which RFC 5280 wants until 2049. */
const time = (at: Date): Buffer =>
  der(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`))

interface Precertificate {
  readonly log: NonNullable<Request['log']>
  readonly issuer: KeyObject
  readonly body: Buffer
}

/** One signed certificate timestamp (RFC 6962, 3.2 and 3.3). */
const timestamps = ({ log, issuer, body }: Precertificate): Buffer => {
  const at = Buffer.alloc(8)
  at.writeBigUInt64BE(BigInt(FROM.getTime()))
  const signed = [
    Buffer.of(0, 0),
    at,
    Buffer.of(0, 1),
    sha256(spki(issuer)),
    counted(3, body),
    Buffer.of(0, 0),
  ]
  const signature = sign('sha256', Buffer.concat(signed), log.privateKey)
  const timestamp = [
    Buffer.of(0),
    sha256(spki(log.publicKey)),
    at,
    Buffer.of(0, 0, 4, 3),
    counted(2, signature),
  ]
  const list = counted(2, counted(2, Buffer.concat(timestamp)))
  return extension('1.3.6.1.4.1.11129.2.4.2', der(0x04, list))
}

/** With its length before it, in so many bytes. */
const counted = (bytes: number, content: Buffer): Buffer => {
  const length = Buffer.alloc(bytes)
  length.writeUIntBE(content.length, 0, bytes)
  return Buffer.concat([length, content])
}
