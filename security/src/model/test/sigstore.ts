import { sign, type KeyObject } from 'node:crypto'
import { signedEnvelope } from '../dsse.ts'
import type { Manifest } from '../manifest.ts'
import { statementOf } from '../statement.ts'
import {
  asAuthority,
  extension,
  forCode,
  forSignatures,
  FROM,
  issue,
  newKeys,
  pem,
  sha256,
  spki,
  type Authority,
  type Request,
} from './certificates.ts'
import { der, sequence, utf8 } from './der.ts'

/** What a signer, Fulcio or Rekor does otherwise than it should. */
export interface Otherwise {
  readonly identity?: string
  readonly issuer?: string
  /** The names of the certificate, instead of an address. */
  readonly names?: readonly Buffer[]
  /** The log takes the entry at this time. */
  readonly loggedAt?: Date
  readonly extensions?: readonly Buffer[]
  readonly isAuthority?: boolean
  readonly isInCertificateLog?: boolean
  readonly payloadType?: string
  /** Changes the finished entry of the log. */
  readonly entry?: (entry: Entry) => object
  /** Changes the finished bundle. */
  readonly bundle?: (bundle: SigstoreBundle) => object
}

export type Entry = ReturnType<typeof entryFor>

export interface SigstoreBundle {
  readonly mediaType: string
  readonly verificationMaterial: { readonly certificate: object; readonly tlogEntries: readonly object[] }
  readonly dsseEnvelope: object
}

export interface Instance {
  /** `trusted_root.json`. */
  readonly trustedRoot: string
  readonly sign: (manifest: Manifest, otherwise?: Otherwise) => string
}

export const IDENTITY = 'release@example.com'
export const PROVIDER = 'https://accounts.example.com'
const LIFE_MS = 600_000 // Of a certificate of Fulcio.
const LOG = 'rekor.example.com'

/**
 * A Sigstore instance of our own, in memory: root and intermediate authority (Fulcio), certificate log and transparency log (Rekor 1). The
 * certificates, timestamps, entries and inclusion proofs are real; only the keys are known to nobody else.
 */
export const newInstance = (): Instance => {
  const root = issue({ subject: 'root', extensions: asAuthority() })
  const fulcio = issue({ subject: 'fulcio', issuer: root, extensions: asAuthority(0) })
  const [certificateLog, rekor] = [newKeys(), newKeys()]
  return {
    trustedRoot: trustedRootOf({
      chain: [fulcio, root],
      certificateLog: certificateLog.publicKey,
      rekor: rekor.publicKey,
    }),
    sign: (manifest, otherwise = {}) => {
      const leaf = issue(leafRequest({ issuer: fulcio, log: certificateLog }, otherwise))
      const payload = Buffer.from(JSON.stringify(statementOf(manifest)))
      const envelope = signedEnvelope(payload, leaf.privateKey, otherwise.payloadType) as Envelope
      const entry = entryFor({ envelope, payload, leaf, rekor, at: otherwise.loggedAt ?? FROM })
      const bundle: SigstoreBundle = {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: {
          certificate: { rawBytes: leaf.certificate.toString('base64') },
          tlogEntries: [otherwise.entry?.(entry) ?? entry],
        },
        dsseEnvelope: envelope,
      }
      return JSON.stringify(otherwise.bundle?.(bundle) ?? bundle)
    },
  }
}

const leafRequest = (from: Pick<Request, 'issuer' | 'log'>, otherwise: Otherwise): Request => {
  const { identity = IDENTITY, issuer = PROVIDER, names = [der(0x81, Buffer.from(identity))] } = otherwise
  return {
    subject: '',
    issuer: from.issuer!,
    ...(otherwise.isInCertificateLog !== false && { log: from.log! }),
    to: new Date(FROM.getTime() + LIFE_MS),
    extensions: [
      ...(otherwise.isAuthority === true
        ? asAuthority()
        : (otherwise.extensions ?? [forSignatures, forCode])),
      extension('2.5.29.17', sequence(...names), true),
      extension('1.3.6.1.4.1.57264.1.1', Buffer.from(issuer)),
      extension('1.3.6.1.4.1.57264.1.8', utf8(issuer)),
    ],
  }
}

interface Envelope {
  readonly signatures: readonly [{ readonly sig: string }]
}

interface Logged {
  readonly envelope: Envelope
  readonly payload: Buffer
  readonly leaf: Authority
  readonly rekor: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly at: Date
}

/** An entry of Rekor 1: body, promise (signed entry timestamp), and proof that it is leaf 2 of a tree of 5 (RFC 6962, 2.1.1). */
const entryFor = ({ envelope, payload, leaf, rekor, at }: Logged) => {
  const body = Buffer.from(
    JSON.stringify({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        envelopeHash: {
          algorithm: 'sha256',
          value: sha256(Buffer.from(JSON.stringify(envelope))).toString('hex'),
        },
        payloadHash: { algorithm: 'sha256', value: sha256(payload).toString('hex') },
        signatures: [
          {
            signature: envelope.signatures[0].sig,
            verifier: Buffer.from(pem(leaf.certificate)).toString('base64'),
          },
        ],
      },
    }),
  )
  const logId = sha256(spki(rekor.publicKey))
  const integratedTime = at.getTime() / 1000
  const promised = {
    body: body.toString('base64'),
    integratedTime,
    logID: logId.toString('hex'),
    logIndex: 2,
  }
  return {
    logIndex: '2',
    logId: { keyId: logId.toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(integratedTime),
    inclusionPromise: {
      signedEntryTimestamp: sign('sha256', Buffer.from(JSON.stringify(promised)), rekor.privateKey).toString(
        'base64',
      ),
    },
    inclusionProof: proofOf(body, rekor),
    canonicalizedBody: body.toString('base64'),
  }
}

const proofOf = (body: Buffer, { publicKey, privateKey }: Logged['rekor']) => {
  const [a, b, d, e] = ['a', 'b', 'd', 'e'].map((text) => leafHash(Buffer.from(text)))
  const ab = nodeHash(a!, b!)
  const root = nodeHash(nodeHash(ab, nodeHash(leafHash(body), d!)), e!).toString('base64')
  const note = `${LOG} - 1\n5\n${root}\n`
  const signature = Buffer.concat([
    sha256(spki(publicKey)).subarray(0, 4),
    sign('sha256', Buffer.from(note), privateKey),
  ])
  return {
    logIndex: '2',
    rootHash: root,
    treeSize: '5',
    hashes: [d!, ab, e!].map((hash) => hash.toString('base64')),
    checkpoint: { envelope: `${note}\n— ${LOG} ${signature.toString('base64')}\n` },
  }
}

const leafHash = (leaf: Buffer): Buffer => sha256(Buffer.of(0), leaf)
const nodeHash = (left: Buffer, right: Buffer): Buffer => sha256(Buffer.of(1), left, right)

interface Roots {
  readonly chain: readonly Authority[]
  readonly certificateLog: KeyObject
  readonly rekor: KeyObject
}

const trustedRootOf = ({ chain, certificateLog, rekor }: Roots): string =>
  JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [logOf(`https://${LOG}`, rekor)],
    certificateAuthorities: [
      {
        subject: { organization: 'example', commonName: 'fulcio' },
        uri: 'https://fulcio.example.com',
        certChain: {
          certificates: chain.map(({ certificate }) => ({ rawBytes: certificate.toString('base64') })),
        },
        validFor: { start: FROM.toISOString() },
      },
    ],
    ctlogs: [logOf('https://ctlog.example.com', certificateLog)],
    timestampAuthorities: [],
  })

const logOf = (baseUrl: string, key: KeyObject): object => ({
  baseUrl,
  hashAlgorithm: 'SHA2_256',
  publicKey: {
    rawBytes: spki(key).toString('base64'),
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    validFor: { start: FROM.toISOString() },
  },
  logId: { keyId: sha256(spki(key)).toString('base64') },
})
