import 'reflect-metadata'
import { KeyObject, webcrypto, type webcrypto as Web } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

type Keys = Awaited<ReturnType<typeof newKeys>>
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

export const keyPem = (keys: Keys): string =>
  String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }))

export interface Leaf {
  readonly uris?: readonly string[]
  readonly ip?: string
  /** Seconds from now. */
  readonly from?: number
  readonly to?: number
  readonly isCa?: boolean
  readonly uses?: readonly string[]
}

export interface Authority {
  readonly pem: string
  readonly der: Buffer
  readonly certificate: X509Certificate
  /** A certificate over the key of a PKCS #10 request. */
  sign(csr: string, leaf?: Leaf): Promise<string>
  /** A key and a certificate. */
  issue(leaf?: Leaf): Promise<{
    readonly certificate: string
    readonly key: string
    readonly keyDer: Buffer
    readonly der: Buffer
  }>
  /** An authority that this one vouches for. */
  below(): Promise<Authority>
}

const at = (seconds: number): Date => new Date(Date.now() + seconds * 1000)
export const SPIFFE_ID = 'spiffe://cluster.local/ns/models/sa/llm'
const BOTH = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']

export const authority = async (
  name = 'ca',
  above?: { readonly name: string; readonly key: Web.CryptoKey },
): Promise<Authority> => {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.create(
    {
      subject: `CN=${name}`,
      issuer: above?.name ?? `CN=${name}`,
      publicKey: keys.publicKey,
      signingKey: above?.key ?? keys.privateKey,
      signingAlgorithm: algorithm,
      notBefore: at(-86_400),
      notAfter: at(86_400),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  )
  const make = async (publicKey: Web.CryptoKey, leaf: Leaf = {}): Promise<X509Certificate> => {
    const { uris = [SPIFFE_ID], ip, from = -60, to = 3600, isCa = false, uses = BOTH } = leaf
    const names = [
      ...uris.map((value) => ({ type: 'url' as const, value })),
      ...(ip === undefined ? [] : [{ type: 'ip' as const, value: ip }]),
    ]
    return X509CertificateGenerator.create(
      {
        subject: 'CN=leaf',
        issuer: `CN=${name}`,
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore: at(from),
        notAfter: at(to),
        extensions: [
          new BasicConstraintsExtension(isCa, undefined, true),
          new KeyUsagesExtension(isCa ? KeyUsageFlags.keyCertSign : KeyUsageFlags.digitalSignature, true),
          ...(uses.length > 0 ? [new ExtendedKeyUsageExtension([...uses])] : []),
          new SubjectAlternativeNameExtension(names),
        ],
      },
      webcrypto,
    )
  }
  return {
    pem: `${certificate.toString('pem')}\n`,
    der: Buffer.from(certificate.rawData),
    certificate,
    sign: async (csr, leaf) => {
      const request = new Pkcs10CertificateRequest(csr)
      if (!(await request.verify(webcrypto))) throw new Error('the request is not signed by its own key')
      const key = await webcrypto.subtle.importKey('spki', request.publicKey.rawData, algorithm, true, [
        'verify',
      ])
      return `${(await make(key, leaf)).toString('pem')}\n`
    },
    issue: async (leaf) => {
      const own = await newKeys()
      const made = await make(own.publicKey, leaf)
      return {
        certificate: `${made.toString('pem')}\n`,
        key: keyPem(own),
        keyDer: KeyObject.from(own.privateKey).export({ type: 'pkcs8', format: 'der' }),
        der: Buffer.from(made.rawData),
      }
    },
    below: () => authority(`${name}-below`, { name: `CN=${name}`, key: keys.privateKey }),
  }
}
