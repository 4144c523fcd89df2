import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { openSignature, signManifest } from './signature.ts'
import { withFolder } from './test/folders.ts'
import { verifyModel } from './verify.ts'

/** Made by the reference implementation, model-signing 1.1.1. */
const VECTOR = join(import.meta.dirname, 'test/vector')

const byKey = (publicKey: KeyObject) => ({ method: 'key', publicKey }) as const
const trust = byKey(createPublicKey(readFileSync(join(VECTOR, 'key.pub'))))
const bundle = readFileSync(join(VECTOR, 'model.sig'), 'utf8')

const inCopy = (change: (model: string) => void): Promise<unknown> =>
  withFolder((folder) => {
    cpSync(VECTOR, folder, { recursive: true })
    change(join(folder, 'model'))
    return verifyModel({
      folder: join(folder, 'model'),
      signatureFile: join(folder, 'model.sig'),
      trust: { method: 'key', file: join(folder, 'key.pub') },
    })
  })

test('what the reference implementation signed is verified', async () => {
  expect(await inCopy(() => undefined)).toEqual({
    name: 'model',
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    signer: '03fd9a4803df5fccc98321c23dc095672b60d614d185b746e6525eb2a56326aa',
    files: 3,
  })
})

test.each([
  [
    'a changed byte',
    (model: string) => writeFileSync(join(model, 'weights.bin'), 'other'),
    'weights.bin was changed',
  ],
  ['a missing file', (model: string) => rmSync(join(model, 'sub/tok.txt')), 'sub/tok.txt is missing'],
  [
    'a new file',
    (model: string) => writeFileSync(join(model, 'modeling.py'), 'x'),
    'modeling.py was not signed',
  ],
  ['a hidden new file', (model: string) => writeFileSync(join(model, '.pth'), 'x'), '.pth was not signed'],
  [
    'a symbolic link',
    (model: string) => symlinkSync('/etc/hostname', join(model, 'link')),
    'link: is no regular file',
  ],
  [
    'a name that is no UTF-8',
    (model: string) => writeFileSync(Buffer.concat([Buffer.from(`${model}/w`), Buffer.of(0xff)]), 'x'),
    'its name is no UTF-8',
  ],
])('%s is noticed and named', async (_, change, message) => {
  await expect(inCopy(change)).rejects.toThrow(message)
})

test('files of version control may differ, as the signer said', async () => {
  await inCopy((model) => {
    mkdirSync(join(model, '.git'))
    writeFileSync(join(model, '.git/HEAD'), 'x')
  })
})

test('a signature of another key, a changed statement and a changed signature are refused', () => {
  const { publicKey: other } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  expect(() => openSignature(bundle, byKey(other))).toThrow('not by this key')
  const parsed = JSON.parse(bundle) as {
    dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] }
  }
  const payload = Buffer.from(parsed.dsseEnvelope.payload, 'base64').toString()
  const forged = (change: object): string =>
    JSON.stringify({ ...parsed, dsseEnvelope: { ...parsed.dsseEnvelope, ...change } })
  const swapped = Buffer.from(payload.replace('weights.bin', 'weights.bon')).toString('base64')
  expect(() => openSignature(forged({ payload: swapped }), trust)).toThrow('not by this key')
  expect(() => openSignature(forged({ payloadType: 'text/plain' }), trust)).toThrow('not by this key')
  expect(() => openSignature(forged({ signatures: [] }), trust)).toThrow('no Sigstore bundle')
  expect(() => openSignature('{}', trust)).toThrow('no Sigstore bundle')
  expect(() => openSignature('not json', trust)).toThrow('no Sigstore bundle')
})

test('a statement whose digest is not that of its files is refused, although it is signed', () => {
  const { privateKey, publicKey: own } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const resources = [{ name: 'a', digest: 'a'.repeat(64) }]
  const good = signManifest({ name: 'm', resources, ignored: [] }, { privateKey })
  expect(openSignature(good, byKey(own)).manifest.resources).toEqual(resources)
  const parsed = JSON.parse(good) as { dsseEnvelope: { payload: string; payloadType: string } }
  const { payload, payloadType } = parsed.dsseEnvelope
  const statement = Buffer.from(payload, 'base64').toString().replace('a'.repeat(64), 'c'.repeat(64))
  const signature = sign(
    'sha256',
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${statement.length} ${statement}`),
    privateKey,
  )
  const envelope = {
    payload: Buffer.from(statement).toString('base64'),
    payloadType,
    signatures: [{ sig: signature.toString('base64'), keyid: '' }],
  }
  const contradictory = JSON.stringify({ ...parsed, dsseEnvelope: envelope })
  expect(() => openSignature(contradictory, byKey(own))).toThrow('contradicts itself')
})

test('a signature with a certificate is refused where a key was given', () => {
  const byCertificate = readFileSync(join(VECTOR, 'by-certificate.sig'), 'utf8')
  expect(() => openSignature(byCertificate, trust)).toThrow('was made with a certificate')
})

test('a key of another kind is refused with the command that makes the right one', () => {
  const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  expect(() => openSignature(bundle, byKey(rsa))).toThrow('openssl ecparam')
})
