import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bundleKeys, verifyBundle } from './bundle-signature.ts'
import { opaPath } from './test/real-opa.ts'
import {
  builtByOpa,
  embeddedFiles,
  filesOf,
  keyPair,
  opaVerdict,
  packed,
  signatures,
  signedByOpa,
  unpacked,
  type BundleContents,
} from './test/signed-bundle.ts'

const opa = opaPath()
const withOpa = opa === undefined ? describe.skip : describe

const ours = keyPair()
const keys = { keys: bundleKeys(ours.publicPem) }
/** In canonical form already, so that the hash of the bytes is the hash of the value. */
const plain = { '.manifest': '{"revision":"v1"}', 'data.json': '{"a":[1,"x",null]}', 'policy.wasm': 'wasm' }

const signedFiles = async (
  files: BundleContents = plain,
  claims: Readonly<Record<string, unknown>> = {},
  signed: BundleContents = files,
) => filesOf({ ...files, '.signatures.json': await signatures(signed, ours, claims) })

withOpa('with the real OPA (skipped where opa is missing)', () => {
  test.each(['ES256', 'RS256'] as const)('what opa sign signs with %s is verified', async (algorithm) => {
    const pair = keyPair(algorithm)
    const files = embeddedFiles('v1')
    const signature = signedByOpa(opa!, files, pair)
    const verify = (more: BundleContents = {}) =>
      verifyBundle(filesOf({ ...files, '.signatures.json': signature, ...more }), {
        keys: bundleKeys(pair.publicPem),
      })
    await expect(verify()).resolves.toEqual({})
    await expect(verify({ 'data.json': '{"roles":{}}' })).rejects.toThrow(
      'data.json: is not as it was signed',
    )
  })

  test('what opa build signs is verified, and so is what OPA itself takes from us', async () => {
    const files = { '.manifest': '{"revision":"v7","roots":["a"]}', 'data.json': '{"a":{"b":[1.0,2e3]}}' }
    const built = builtByOpa(opa!, files, ours)
    await expect(verifyBundle(unpacked(built), keys)).resolves.toEqual({})
    expect(opaVerdict(opa!, built, ours)).toBeUndefined()
    const canonical = { 'data.json': '{"a":{"b":[1.0,2e3]}}' }
    const own = { ...canonical, '.signatures.json': await signatures(canonical, ours, { keyid: 'postern' }) }
    expect(opaVerdict(opa!, packed(own), ours)).toBeUndefined()
    await expect(verifyBundle(filesOf(own), keys)).resolves.toEqual({})
    expect(opaVerdict(opa!, packed({ ...own, 'data.json': '{}' }), ours)).toContain('digest mismatch')
  })

  test('OPA and we hash every data document alike', async () => {
    const number = fc.oneof(
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
      fc.constantFrom(
        '1.0',
        '1e3',
        '-0',
        '0.10',
        '1E-7',
        '12345678901234567890',
        '1.5e300',
        '100000000000000000000',
      ),
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u2028', '\u2029', '<&>', '\b\f\u0001\u007f', '/'),
    )
    const json = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        number,
        text.map((value) => JSON.stringify(value)),
        fc.constantFrom('true', 'false', 'null'),
        fc.array(tie('value')).map((items) => `[ ${items.join(' , ')}]`),
        fc.dictionary(text, tie('value')).map(
          (entries) =>
            `{${Object.entries(entries)
              .map(([key, value]) => `${JSON.stringify(key)}: ${value}`)
              .join(',\n')} }`,
        ),
      ),
    })).value
    const documents = fc.sample(json, 300)
    const files = Object.fromEntries(
      documents.map((value, index) => [`d${index}/data.json`, `{"v": ${value}}`]),
    )
    const signature = signedByOpa(opa!, files, ours)
    await expect(verifyBundle(filesOf({ ...files, '.signatures.json': signature }), keys)).resolves.toEqual(
      {},
    )
  })
})

test('Ed25519 signs too', async () => {
  const pair = keyPair('EdDSA')
  const files = filesOf({ ...plain, '.signatures.json': await signatures(plain, pair) })
  await expect(verifyBundle(files, { keys: bundleKeys(pair.publicPem) })).resolves.toEqual({})
})

test('any of several keys will do, while one takes over from another', async () => {
  const both = { keys: bundleKeys(`${keyPair('RS256').publicPem}\n${ours.publicPem}`) }
  await expect(verifyBundle(await signedFiles(plain, { iat: 7 }), both)).resolves.toEqual({ issuedAt: 7 })
})

test('a bundle signed by another key is refused', async () => {
  const files = filesOf({ ...plain, '.signatures.json': await signatures(plain, keyPair()) })
  await expect(verifyBundle(files, keys)).rejects.toThrow('is not signed by the key given')
})

test('a bundle without a signature is refused', async () => {
  await expect(verifyBundle(filesOf(plain), keys)).rejects.toThrow('is not signed')
})

test('a public key is no secret for HMAC, and "none" is no algorithm', async () => {
  const header = (alg: string) => Buffer.from(JSON.stringify({ alg })).toString('base64url')
  const body = Buffer.from('{"files":[]}').toString('base64url')
  for (const token of [
    `${header('none')}.${body}.AA`,
    `${header('HS256')}.${body}.AAAA`,
    `${header('none')}.${body}.`,
  ]) {
    const files = filesOf({ '.signatures.json': JSON.stringify({ signatures: [token] }) })
    await expect(verifyBundle(files, keys)).rejects.toThrow(/signatures\.json/)
  }
})

test.each<[string, BundleContents, RegExp]>([
  ['changed', { ...plain, 'policy.wasm': 'other' }, /^policy\.wasm: is not as it was signed$/],
  ['added', { ...plain, 'more.rego': '' }, /^more\.rego: is not in the signature$/],
  ['added below', { ...plain, 'x/.signatures.json': '{}' }, /is not in the signature$/],
  [
    'missing',
    { 'data.json': plain['data.json'], 'policy.wasm': 'wasm' },
    /^\.manifest: was signed but is missing$/,
  ],
  ['data of other numbers', { ...plain, 'data.json': '{"a":[1.0,"x",null]}' }, /^data\.json: is not as/],
])('a file that is %s is refused', async (_how, files, reason) => {
  await expect(verifyBundle(await signedFiles(files, {}, plain), keys)).rejects.toThrow(reason)
})

test('blanks and the order of keys do not count in data and manifest', async () => {
  const signed = { 'data.json': '{"a":1,"b":{"c":2,"d":3}}' }
  const files = { 'data.json': '{ "b": {"d":3,\n"c":2}, "a":1 }' }
  await expect(verifyBundle(await signedFiles(files, {}, signed), keys)).resolves.toEqual({})
})

test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
  ['an expired signature', { exp: 1 }, /expired/],
  ['a scope that was not asked for', { scope: 'other' }, /scope/],
  ['a time that is none', { iat: 'now' }, /iat/],
  ['files that are no list', { files: {} }, /lists no files/],
  ['an unknown hash', { files: [{ name: 'a', hash: '00', algorithm: 'MD5' }] }, /algorithm SHA-256/],
  ['a file listed twice', { files: Array(2).fill({ name: 'a', hash: '', algorithm: 'SHA-256' }) }, /twice/],
])('%s is refused', async (_what, claims, reason) => {
  await expect(verifyBundle(await signedFiles(plain, claims), keys)).rejects.toThrow(reason)
})

test('a scope that is asked for must be there', async () => {
  const files = await signedFiles(plain, { scope: 'guard' })
  await expect(verifyBundle(files, { ...keys, scope: 'guard' })).resolves.toEqual({})
  await expect(verifyBundle(await signedFiles(), { ...keys, scope: 'guard' })).rejects.toThrow('scope')
})

test.each([
  ['two tokens', '{"signatures":["a.b.c","a.b.c"]}'],
  ['no token', '{"signatures":[]}'],
  ['a plugin', '{"signatures":["a.b.c"],"plugin":"custom"}'],
  ['a number', '7'],
  ['no JSON', 'x'],
  ['a token with blanks', '{"signatures":["a.b. c"]}'],
])('.signatures.json with %s is refused', async (_what, content) => {
  await expect(verifyBundle(filesOf({ ...plain, '.signatures.json': content }), keys)).rejects.toThrow(
    '.signatures.json',
  )
})

test.each([
  ['nested too deep', `${'['.repeat(400)}${']'.repeat(400)}`, /nested deeper/],
  ['nested beyond the stack', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, /not JSON|nested deeper/],
  ['with half a pair', '{"a":"\\ud800"}', /surrogate/],
  ['in broken UTF-8', Buffer.from([0x22, 0xff, 0x22]), /not JSON/],
])('data %s is refused', async (_how, data, reason) => {
  await expect(verifyBundle(await signedFiles({ 'data.json': data }), keys)).rejects.toThrow(reason)
})

test.each([
  ['no key', 'hello', /no public key/],
  ['a private key', String(ours.privateKey.export({ type: 'pkcs8', format: 'pem' })), /private key/],
  [
    'another curve',
    String(
      generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ type: 'spki', format: 'pem' }),
    ),
    /neither/,
  ],
  [
    'a short RSA key',
    String(
      generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }),
    ),
    /neither/,
  ],
  ['too many keys', ours.publicPem.repeat(9), /more than 8/],
])('a key file with %s is refused', (_what, pem, reason) => {
  expect(() => bundleKeys(pem)).toThrow(reason)
})
