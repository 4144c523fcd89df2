import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto'
import type { JsonGeneralName } from '@peculiar/x509'

cryptoProvider.set(webcrypto)

/** PEM texts. */
export interface KeyedCertificate {
  readonly certificate: string
  /** PKCS#8. */
  readonly key: string
}

export interface Names {
  readonly dns: readonly string[]
  readonly ip?: readonly string[]
  /** At most one: what verifies SPIFFE IDs refuses several. */
  readonly uri?: string
}

export interface LeafRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  readonly names: Names
  readonly notBefore: Date
  readonly notAfter: Date
  readonly usage: readonly ('client' | 'server')[]
}

const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** A new EC P-256 key: PKCS#8 PEM and its SubjectPublicKeyInfo. */
export const newKey = (): { readonly key: string; readonly publicKey: Buffer } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  }
}

/** A new CA with a name of its own, so that no chain can be built over another one. It signs leaves only. */
export const newAuthority = async (life: {
  readonly trustDomain: string
  readonly notBefore: Date
  readonly notAfter: Date
}): Promise<KeyedCertificate> => {
  const { key, publicKey } = newKey()
  const name = `CN=postern-ca-${randomBytes(4).toString('hex')}, O=${life.trustDomain}`
  const certificate = await X509CertificateGenerator.create({
    subject: name,
    issuer: name,
    notBefore: life.notBefore,
    notAfter: life.notAfter,
    serialNumber: newSerial(),
    signingAlgorithm: SIGNING,
    publicKey: new PublicKey(publicKey),
    signingKey: await signingKey(key),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      new SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${life.trustDomain}` }]),
      await SubjectKeyIdentifierExtension.create(new PublicKey(publicKey)),
    ],
  })
  return { certificate: pemLine(certificate), key }
}

/** Signs a leaf. It ends with its CA at the latest. */
export const signLeaf = async (authority: KeyedCertificate, leaf: LeafRequest): Promise<string> => {
  const issuer = new X509Certificate(authority.certificate)
  const { dns, ip = [], uri } = leaf.names
  const names: JsonGeneralName[] = [
    ...(uri === undefined ? [] : [{ type: 'url' as const, value: uri }]),
    ...dns.map((value) => ({ type: 'dns' as const, value })),
    ...ip.map((value) => ({ type: 'ip' as const, value })),
  ]
  const certificate = await X509CertificateGenerator.create({
    // The names are in the extension, which must be critical then (RFC 5280, 4.2.1.6).
    subject: '',
    issuer: issuer.subjectName,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter < issuer.notAfter ? leaf.notAfter : issuer.notAfter,
    serialNumber: newSerial(),
    signingAlgorithm: SIGNING,
    publicKey: new PublicKey(leaf.publicKey),
    signingKey: await signingKey(authority.key),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(
        leaf.usage.map((use) =>
          use === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
        ),
      ),
      new SubjectAlternativeNameExtension(names, true),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await SubjectKeyIdentifierExtension.create(new PublicKey(leaf.publicKey)),
    ],
  })
  return pemLine(certificate)
}

/** The public half of a PEM private key, PEM. */
export const publicPem = (key: string): string =>
  createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'pem' }) as string

const pemLine = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`

/** 127 bits, positive and without a leading zero byte (RFC 5280, 4.1.2.2). */
const newSerial = (): string => {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial.toString('hex')
}

const signingKey = (key: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }),
    SIGNING,
    false,
    ['sign'],
  )
