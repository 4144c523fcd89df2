import { expect, test } from '@jest/globals'
import { trustedRootIn } from './keyless.ts'
import { openSignature, type Trust } from './signature.ts'
import { extension, forCode, forKeyAgreement, forServers, forSignatures, FROM } from './test/certificates.ts'
import { der, oid, utf8 } from './test/der.ts'
import { IDENTITY, newInstance, PROVIDER, type Otherwise } from './test/sigstore.ts'

const MANIFEST = { name: 'm', resources: [{ name: 'a', digest: 'a'.repeat(64) }], ignored: [] }

const instance = newInstance()
const other = newInstance()

const trusting = (root: string, identity = IDENTITY, identityProvider = PROVIDER): Trust => ({
  method: 'sigstore',
  trusted: trustedRootIn(root),
  identity,
  identityProvider,
})

const trust = trusting(instance.trustedRoot)
const opened = (otherwise: Otherwise) => openSignature(instance.sign(MANIFEST, otherwise), trust)

test('a keyless signature by this identity is good years later, and says who signed', () => {
  expect(opened({})).toEqual({
    manifest: MANIFEST,
    signer: 'identity release@example.com (https://accounts.example.com)',
  })
})

const uri = (text: string) => der(0x86, Buffer.from(text))
const WORKFLOW = 'https://github.com/acme/models/.github/workflows/release.yml@refs/heads/main'

test('a workflow and a user name are identities too', () => {
  const signed = instance.sign(MANIFEST, { names: [uri(WORKFLOW)] })
  expect(openSignature(signed, trusting(instance.trustedRoot, WORKFLOW)).signer).toContain(WORKFLOW)
  const userName = der(0xa0, oid('1.3.6.1.4.1.57264.1.7'), der(0xa0, utf8('release!example.com')))
  const byUser = instance.sign(MANIFEST, { names: [userName] })
  expect(openSignature(byUser, trusting(instance.trustedRoot, 'release!example.com')).signer).toContain(
    'release!',
  )
})

const HOUR = 3_600_000
const at = (ms: number) => new Date(FROM.getTime() + ms)
const later = (text: string): string => (BigInt(text) + 1n).toString()

test.each<readonly [string, Otherwise, string]>([
  ['another identity', { identity: 'mallory@example.com' }, 'is by mallory@example.com of https://accounts'],
  ['an identity that contains this one', { identity: `x${IDENTITY}` }, 'not by release@example.com'],
  ['an identity in other letters', { identity: 'Release@example.com' }, 'not by release@example.com'],
  ['another issuer', { issuer: 'https://accounts.example.org' }, 'of https://accounts.example.org, not by'],
  ['an issuer with another path', { issuer: `${PROVIDER}/` }, 'not by release@example.com'],
  ['two names', { names: [der(0x81, Buffer.from(IDENTITY)), uri('x:y')] }, 'not by release@example.com'],
  ['no name', { names: [] }, 'not by release@example.com'],
  ['a name of another kind', { names: [der(0x82, Buffer.from(IDENTITY))] }, 'not by release@example.com'],
  [
    'a name whose letters have an eighth bit',
    {
      names: [der(0x81, Buffer.from(IDENTITY).map((byte, at) => (at === 0 ? byte | 0x80 : byte)) as Buffer)],
    },
    'not by release@example.com',
  ],
  ['a name that writes to the terminal', { identity: 'a\u001b[2J' }, 'is by a?[2J of'],
  [
    'a certificate that had ended when the log took it',
    { loggedAt: at(HOUR) },
    'was not valid when it signed',
  ],
  ['a certificate that had not begun', { loggedAt: at(-HOUR) }, 'was not valid when it signed'],
  ['no certificate log', { isInCertificateLog: false }, 'not in a certificate log'],
  [
    'no digital signature',
    { extensions: [forKeyAgreement, forCode] },
    'its key usage has no digitalSignature',
  ],
  ['a server', { extensions: [forSignatures, forServers] }, 'its extended key usage has no codeSigning'],
  ['no extended key usage', { extensions: [forSignatures] }, 'no extended key usage codeSigning'],
  ['an authority', { isAuthority: true }, 'is that of a certificate authority'],
  [
    'a critical extension that nobody knows',
    { extensions: [forSignatures, forCode, extension('1.2.3.4', utf8('x'), true)] },
    'a critical extension that is not checked',
  ],
  ['another payload type', { payloadType: 'application/json' }, 'over "application/json", not a statement'],
])('%s is refused', (_, otherwise, message) => {
  expect(() => opened(otherwise)).toThrow(message)
})

test.each<readonly [string, Otherwise['entry'], string]>([
  [
    'a changed body',
    (entry) => ({ ...entry, canonicalizedBody: Buffer.from('{}').toString('base64') }),
    'not from a log',
  ],
  ['another time', (entry) => ({ ...entry, integratedTime: later(entry.integratedTime) }), 'not from a log'],
  ['another index', (entry) => ({ ...entry, logIndex: '3' }), 'not from a log'],
  [
    'a changed hash in the proof',
    (entry) => ({
      ...entry,
      inclusionProof: { ...entry.inclusionProof, hashes: entry.inclusionProof.hashes.toReversed() },
    }),
    'the proof of the log is not good',
  ],
  [
    'a checkpoint of another tree',
    (entry) => ({
      ...entry,
      inclusionProof: {
        ...entry.inclusionProof,
        checkpoint: { envelope: entry.inclusionProof.checkpoint.envelope.replace('\n5\n', '\n6\n') },
      },
    }),
    'the proof of the log is not good',
  ],
  [
    'no proof',
    (entry) => ({ ...entry, inclusionProof: undefined }),
    'has no proof that a transparency log lists it',
  ],
  [
    'no promise and no time stamp',
    (entry) => ({ ...entry, inclusionPromise: undefined }),
    'says when it was made',
  ],
])('a log entry with %s is refused', (_, entry, message) => {
  expect(() => opened(entry === undefined ? {} : { entry })).toThrow(message)
})

interface Bundle {
  readonly verificationMaterial: { readonly certificate: object; readonly tlogEntries: readonly [object] }
}
const parsed = JSON.parse(instance.sign(MANIFEST)) as Bundle
const [entry] = parsed.verificationMaterial.tlogEntries
const withMaterial = (change: object): string =>
  JSON.stringify({ ...parsed, verificationMaterial: { ...parsed.verificationMaterial, ...change } })

test.each([
  ['without a log entry', withMaterial({ tlogEntries: [] }), 'says when it was made'],
  ['with the same entry twice', withMaterial({ tlogEntries: [entry, entry] }), 'says when it was made'],
  [
    'with the log entry of another signature',
    withMaterial({
      tlogEntries: (JSON.parse(instance.sign(MANIFEST)) as Bundle).verificationMaterial.tlogEntries,
    }),
    'the log entry is of another signature',
  ],
  [
    'with the certificate of another signature',
    withMaterial({
      certificate: (JSON.parse(instance.sign(MANIFEST)) as Bundle).verificationMaterial.certificate,
    }),
    'what was signed was changed',
  ],
  ['with nine entries', withMaterial({ tlogEntries: Array(9).fill(entry) }), 'more than 8 log entries'],
  [
    'of another version',
    JSON.stringify({ ...parsed, mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1' }),
    'version 0.3',
  ],
])('a bundle %s is refused', (_, bundle, message) => {
  expect(() => openSignature(bundle, trust)).toThrow(message)
})

test('what another instance signed is refused', () => {
  expect(() => openSignature(other.sign(MANIFEST), trust)).toThrow('its certificate is not from there')
})

test('authority, certificate log and transparency log must all be of the trusted root', () => {
  const [root, foreign] = [JSON.parse(instance.trustedRoot), JSON.parse(other.trustedRoot)] as [
    object,
    object,
  ]
  const signed = instance.sign(MANIFEST)
  for (const part of ['certificateAuthorities', 'ctlogs', 'tlogs'])
    expect(() =>
      openSignature(signed, trusting(JSON.stringify({ ...root, [part]: foreign[part as never] }))),
    ).toThrow('does not hold under this trusted root')
})

test.each([
  '{}',
  '[]',
  'null',
  'x',
  '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}',
])('what is no trusted root with authorities and logs is refused: %s', (json) => {
  expect(() => trustedRootIn(json)).toThrow()
})
