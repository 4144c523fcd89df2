import { createPublicKey } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { certificatesIn } from './certificate.ts'
import { trustedRootIn } from './keyless.ts'
import { openSignature, type Trust } from './signature.ts'
import { withFolder } from './test/folders.ts'
import type { TrustFile } from './trust.ts'
import { verifyModel, type Verified } from './verify.ts'

/** Of model_signing 1.0.0, 1.0.1 and 1.1.0: the README there says where they are from. */
const VECTORS = join(import.meta.dirname, 'test/vector/openssf')

const IBM = { identity: 'stefanb@us.ibm.com', identityProvider: 'https://sigstore.verify.ibm.com/oauth2' }

const TRUST: Readonly<Record<string, TrustFile>> = {
  'elliptic-key': { method: 'key', file: join(VECTORS, 'keys/signing-key-pub.pem') },
  certificate: { method: 'certificate', file: join(VECTORS, 'keys/ca-cert.pem') },
  sigstore: { method: 'sigstore', file: join(VECTORS, 'trusted_root.json'), ...IBM },
}

const SIGNERS: Readonly<Record<string, string>> = {
  'elliptic-key': 'e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e',
  certificate:
    'certificate CN=intermediate-ca (SHA-256 da3662b630eb0f585c33f114a076b8da2ceda0f275cb578e6d1d9cab84c04d3b)',
  sigstore: 'identity stefanb@us.ibm.com (https://sigstore.verify.ibm.com/oauth2)',
}

/** The vectors' own certificates end in 2035. */
const AT = new Date('2026-01-01')

const verified = (version: string, method: string, change?: (folder: string) => void): Promise<Verified> =>
  withFolder((folder) => {
    cpSync(join(VECTORS, `${version}-${method}`), folder, { recursive: true })
    change?.(folder)
    return verifyModel({ folder, signatureFile: join(folder, 'model.sig'), trust: TRUST[method]!, at: AT })
  })

test.each([
  ['v1.0.0', 'certificate'],
  ['v1.0.0', 'sigstore'],
  ['v1.1.0', 'elliptic-key'],
  ['v1.1.0', 'certificate'],
  ['v1.1.0', 'sigstore'],
])('the public vector %s of method %s is verified, and says who signed', async (version, method) => {
  expect(await verified(version, method)).toMatchObject({
    name: `${version}-${method}`,
    files: 2,
    signer: SIGNERS[method],
  })
})

test('the public vector v1.0.0 of method elliptic-key is a model of one file', async () => {
  const [folder, trust] = [join(VECTORS, 'v1.0.0-elliptic-key'), TRUST['elliptic-key']!]
  const options = { folder: join(folder, 'signme-1'), signatureFile: join(folder, 'model.sig'), trust }
  expect(await verifyModel(options)).toMatchObject({ name: 'signme-1', files: 1 })
  const other = { ...options, folder: join(VECTORS, 'v1.0.0-certificate/signme-1') }
  await expect(verifyModel(other)).rejects.toThrow('the file was changed')
  await expect(verifyModel({ ...options, folder })).rejects.toThrow(
    'the file is missing, signme-1 was not signed',
  )
})

test.each(['elliptic-key', 'certificate', 'sigstore'])(
  'model_signing 1.0.1 did not sign what it ignored, so that the file is named: %s',
  async (method) => {
    await expect(verified('v1.0.1', method)).rejects.toThrow('ignore-me was not signed')
    const { signer } = await verified('v1.0.1', method, (folder) => rmSync(join(folder, 'ignore-me')))
    expect(signer).toBe(SIGNERS[method])
  },
)

test.each(['elliptic-key', 'certificate', 'sigstore'])('a changed file is named: %s', async (method) => {
  const change = (folder: string): void => writeFileSync(join(folder, 'signme-2'), 'other')
  await expect(verified('v1.1.0', method, change)).rejects.toThrow('signme-2 was changed')
})

const read = (path: string): string => readFileSync(join(VECTORS, path), 'utf8')
const trusts: Readonly<Record<string, Trust>> = {
  'elliptic-key': { method: 'key', publicKey: createPublicKey(read('keys/signing-key-pub.pem')) },
  certificate: { method: 'certificate', certificates: certificatesIn(read('keys/ca-cert.pem')), at: AT },
  sigstore: { method: 'sigstore', trusted: trustedRootIn(read('trusted_root.json')), ...IBM },
}

const methods = Object.keys(trusts)

test.each(methods.flatMap((made) => methods.filter((asked) => asked !== made).map((asked) => [made, asked])))(
  'a signature of method %s is refused by method %s, with the reason',
  (made, asked) => {
    expect(() => openSignature(read(`v1.1.0-${made}/model.sig`), trusts[asked]!)).toThrow(
      /^the signature was made with .*, and .* was given to verify it$/,
    )
  },
)

interface Bundle {
  readonly dsseEnvelope: { readonly payload: string; readonly signatures: readonly object[] }
}

test.each(methods)('of a signature of method %s no part can be changed or left out', (method) => {
  const text = read(`v1.1.0-${method}/model.sig`)
  expect(openSignature(text, trusts[method]!).signer).toBe(SIGNERS[method])
  const bundle = JSON.parse(text) as Bundle
  const { dsseEnvelope: envelope } = bundle
  const payload = Buffer.from(envelope.payload, 'base64').toString()
  const forged = (change: object): string =>
    JSON.stringify({ ...bundle, dsseEnvelope: { ...envelope, ...change } })
  const [signature] = envelope.signatures
  const refused = [
    { payload: Buffer.from(payload.replace('signme-1', 'signme-3')).toString('base64') },
    { payload: '' },
    { payloadType: 'application/vnd.in-toto+jsonl' },
    { signatures: [] },
    { signatures: [signature, signature] },
    { signatures: [{ sig: 'AAAA' }] },
  ]
  for (const change of refused)
    expect(() => openSignature(forged(change), trusts[method]!)).toThrow(/^the signature /)
})

test('no bit of the head of a keyless certificate can be changed, and each error is ours', () => {
  const bundle = JSON.parse(read('v1.1.0-sigstore/model.sig')) as {
    verificationMaterial: { certificate: { rawBytes: string } }
  }
  const { certificate } = bundle.verificationMaterial
  const der = Buffer.from(certificate.rawBytes, 'base64')
  for (let bit = 0; bit < 160; bit++) {
    const changed = Buffer.from(der)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    certificate.rawBytes = changed.toString('base64')
    expect(() => openSignature(JSON.stringify(bundle), trusts['sigstore']!)).toThrow(
      /^the signature does not/,
    )
  }
})

test('a bundle that names another key is refused, as by the reference', () => {
  const bundle = JSON.parse(read('v1.1.0-elliptic-key/model.sig')) as { verificationMaterial: object }
  const verificationMaterial = { ...bundle.verificationMaterial, publicKey: { hint: 'another' } }
  expect(() =>
    openSignature(JSON.stringify({ ...bundle, verificationMaterial }), trusts['elliptic-key']!),
  ).toThrow(`whose SHA-256 is ${SIGNERS['elliptic-key']}; it names another`)
})

test('a time stamp does not stand for the transparency log', () => {
  const bundle = JSON.parse(read('v1.1.0-sigstore/model.sig')) as { verificationMaterial: object }
  const unlogged = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [] } }
  expect(() => openSignature(JSON.stringify(unlogged), trusts['sigstore']!)).toThrow('no log entry proves it')
})
