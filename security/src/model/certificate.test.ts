import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { certificatesIn } from './certificate.ts'
import { openSignature, signManifest } from './signature.ts'
import {
  asAuthority,
  extension,
  forCode,
  forKeyAgreement,
  forServers,
  forSignatures,
  FROM,
  issue,
  newKeys,
  pem,
  TO,
  type Authority,
  type Request,
} from './test/certificates.ts'
import { oid, sequence, utf8 } from './test/der.ts'

const MANIFEST = { name: 'm', resources: [{ name: 'a', digest: 'a'.repeat(64) }], ignored: [] }
const AT = new Date('2026-06-01')
const signing = [forSignatures, forCode]

const x509 = ({ certificate }: Authority): X509Certificate => new X509Certificate(certificate)

interface Case {
  readonly leaf?: Partial<Request>
  readonly intermediate?: Partial<Request>
  readonly root?: Partial<Request>
  readonly at?: Date
}

const root = issue({ subject: 'root', extensions: asAuthority() })

/** Root, intermediate and the certificate of who signs, each as it should be but for what the case says. */
const opened = ({ leaf: own, intermediate: between, root: top, at = AT }: Case) => {
  const anchor = top === undefined ? root : issue({ subject: 'root', extensions: asAuthority(), ...top })
  const intermediate = issue({ subject: 'releases', issuer: anchor, extensions: asAuthority(0), ...between })
  const leaf = issue({ subject: 'signer', issuer: intermediate, extensions: signing, ...own })
  return openSignature(signedBy(leaf, [intermediate]), {
    method: 'certificate',
    certificates: [x509(anchor)],
    at,
  })
}

/** As a signer who checks nothing would. */
const signedBy = (leaf: Authority, between: readonly Authority[]): string => {
  const bundle = JSON.parse(signManifest(MANIFEST, { privateKey: leaf.privateKey })) as object
  const certificates = [leaf, ...between].map(({ certificate }) => ({
    rawBytes: certificate.toString('base64'),
  }))
  return JSON.stringify({
    ...bundle,
    verificationMaterial: { x509CertificateChain: { certificates }, tlogEntries: [] },
  })
}

test('a signature with a certificate from this root is good, and says who signed', () => {
  expect(opened({})).toEqual({
    manifest: MANIFEST,
    signer: expect.stringMatching(/^certificate CN=signer \(SHA-256 [0-9a-f]{64}\)$/),
  })
})

test.each(['prime256v1', 'secp384r1', 'secp521r1'])(
  'keys and certificates on %s sign and verify',
  (curve) => {
    const keys = newKeys(curve)
    expect(opened({ leaf: { keys } }).manifest).toEqual(MANIFEST)
    const byKey = signManifest(MANIFEST, { privateKey: keys.privateKey })
    expect(openSignature(byKey, { method: 'key', publicKey: keys.publicKey }).manifest).toEqual(MANIFEST)
  },
)

const anyUsage = extension('2.5.29.37', sequence(oid('2.5.29.37.0')))
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength })

test.each<readonly [string, Case]>([
  ['an authority with an RSA key', { root: { keys: rsa(2048) } }],
  ['key usage, and no extended key usage', { leaf: { extensions: [forSignatures] } }],
  ['extended key usage, and no key usage', { leaf: { extensions: [forCode] } }],
  ['any extended key usage', { leaf: { extensions: [forSignatures, anyUsage] } }],
  ['an authority for code only', { intermediate: { extensions: [...asAuthority(0), forCode] } }],
  ['no subject', { leaf: { subject: '' } }],
])('%s is good', (_, change) => {
  expect(opened(change).manifest).toEqual(MANIFEST)
})

const namesake = issue({ subject: 'root', extensions: asAuthority() })
const past = { from: new Date('2025-01-01'), to: new Date('2026-05-01') }
const constrained = extension('2.5.29.30', sequence(), true)

test.each<readonly [string, Case, string]>([
  [
    'an expired certificate',
    { leaf: past },
    'was valid until 2026-05-01T00:00:00.000Z; sign the model again',
  ],
  [
    'a certificate before its time',
    { at: new Date(FROM.getTime() - 1000) },
    'is not valid before 2026-01-01',
  ],
  ['everything expired', { at: new Date(TO.getTime() + 1000) }, 'was valid until 2027-01-01'],
  ['an expired intermediate', { intermediate: past }, 'CN=releases was valid until 2026-05-01'],
  ['an expired root', { root: past }, 'CN=root was valid until 2026-05-01'],
  ['no digital signature', { leaf: { extensions: [forKeyAgreement, forCode] } }, 'no digitalSignature'],
  [
    'a server',
    { leaf: { extensions: [forSignatures, forServers] } },
    'its extended key usage has no codeSigning',
  ],
  ['no usage at all', { leaf: { extensions: [] } }, 'does not say that it is for signing code'],
  ['an authority', { leaf: { extensions: asAuthority() } }, 'is that of a certificate authority'],
  [
    'an intermediate that is no authority',
    { intermediate: { extensions: signing } },
    'releases is no certificate authority',
  ],
  ['a root that is no authority', { root: { extensions: signing } }, 'CN=root is no certificate authority'],
  ['a root without extensions', { root: { extensions: [] } }, 'CN=root is no certificate authority'],
  [
    'an intermediate for servers',
    { intermediate: { extensions: [...asAuthority(0), forServers] } },
    'CN=releases is not for signing code',
  ],
  ['a path that is too long', { root: { extensions: asAuthority(0) } }, 'allows fewer certificates below it'],
  [
    'name constraints',
    { intermediate: { extensions: [...asAuthority(0), constrained] } },
    'has a critical extension that is not checked here (551d1e)',
  ],
  [
    'a critical extension that nobody knows',
    { leaf: { extensions: [...signing, extension('1.2.3.4', utf8('x'), true)] } },
    'has a critical extension that is not checked here (2a0304)',
  ],
  ['an extension twice', { leaf: { extensions: [...signing, forCode] } }, 'cannot have issued CN=signer'],
  ['SHA-1', { leaf: { hash: 'sha1' } }, 'signed with a hash that is not SHA-2'],
  ['an RSA key of 1024 bits', { root: { keys: rsa(1024) } }, 'fewer than 2048 bits'],
  ['a key on another curve', { leaf: { keys: newKeys('secp256k1') } }, 'ECDSA on P-256, P-384 or P-521'],
  [
    'an intermediate of another root with the same name',
    { intermediate: { issuer: namesake } },
    'CN=root cannot have',
  ],
  [
    'an intermediate that another key signed for this root',
    { intermediate: { issuer: { ...namesake, publicKey: root.publicKey } } },
    'CN=root has another key',
  ],
])('%s is refused', (_, change, message) => {
  expect(() => opened(change)).toThrow(message)
})

const trusting = (...certificates: readonly Authority[]) =>
  ({ method: 'certificate', certificates: certificates.map(x509), at: AT }) as const

test('roots that come with the signature are not trusted', () => {
  const own = issue({ subject: 'own root', extensions: asAuthority() })
  const leaf = issue({ subject: 'signer', issuer: own, extensions: signing })
  expect(() => openSignature(signedBy(leaf, [own]), trusting(root))).toThrow('no trusted root certificate')
  expect(openSignature(signedBy(leaf, [own]), trusting(own)).manifest).toEqual(MANIFEST)
})

test('a trusted intermediate is no root', () => {
  const intermediate = issue({ subject: 'releases', issuer: root, extensions: asAuthority(0) })
  const leaf = issue({ subject: 'signer', issuer: intermediate, extensions: signing })
  expect(() => openSignature(signedBy(leaf, []), trusting(intermediate))).toThrow(
    'no trusted root certificate',
  )
  expect(openSignature(signedBy(leaf, []), trusting(root, intermediate)).manifest).toEqual(MANIFEST)
})

test('a self-signed certificate is good where it is trusted itself', () => {
  const alone = issue({ subject: 'alone', extensions: signing })
  expect(openSignature(signedBy(alone, []), trusting(alone)).signer).toContain('CN=alone')
  expect(() => openSignature(signedBy(alone, []), trusting(root))).toThrow('no trusted root certificate')
})

test('authorities that issued each other end the search', () => {
  const keys = [newKeys(), newKeys()] as const
  const names = ['one', 'two'] as const
  const first = issue({
    subject: 'one',
    keys: keys[0],
    issuer: { ...root, name: 'two', ...keys[1] },
    extensions: asAuthority(),
  })
  const second = issue({
    subject: 'two',
    keys: keys[1],
    issuer: { ...root, name: 'one', ...keys[0] },
    extensions: asAuthority(),
  })
  const leaf = issue({ subject: 'signer', issuer: { ...first, name: names[0] }, extensions: signing })
  expect(() => openSignature(signedBy(leaf, [first, second]), trusting(root))).toThrow('no trusted root')
})

test('the certificate of somebody else does not help', () => {
  const leaf = issue({ subject: 'signer', issuer: root, extensions: signing })
  const thief = { ...leaf, ...newKeys() }
  expect(() => openSignature(signedBy(thief, []), trusting(root))).toThrow('is not by its certificate')
})

test('too many certificates, and what is none, are refused', () => {
  const leaf = issue({ subject: 'signer', issuer: root, extensions: signing })
  expect(() => openSignature(signedBy(leaf, Array(16).fill(root) as Authority[]), trusting(root))).toThrow(
    'more than 16',
  )
  const none = { ...leaf, certificate: Buffer.from('x') }
  expect(() => openSignature(signedBy(none, []), trusting(root))).toThrow('a certificate that is malformed')
  for (const text of ['', 'x', pem(Buffer.from('x'))]) expect(() => certificatesIn(text)).toThrow()
})

test('signing refuses the certificate of another key, and one that may not sign', () => {
  const leaf = issue({ subject: 'signer', issuer: root, extensions: signing })
  const signed = signManifest(MANIFEST, { privateKey: leaf.privateKey, certificates: [leaf, root].map(x509) })
  expect(openSignature(signed, trusting(root)).manifest).toEqual(MANIFEST)
  expect(signed).not.toContain(root.certificate.toString('base64'))
  const { privateKey } = newKeys()
  expect(() => signManifest(MANIFEST, { privateKey, certificates: [x509(leaf)] })).toThrow(
    'not that of the key',
  )
  const server = issue({ subject: 'server', issuer: root, extensions: [forSignatures, forServers] })
  expect(() =>
    signManifest(MANIFEST, { privateKey: server.privateKey, certificates: [x509(server)] }),
  ).toThrow('no codeSigning')
})
