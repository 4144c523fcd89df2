import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readTarGz } from '../../core/tar.ts'
import { packTarGz } from './archive.ts'
import { openBundle, signBundle } from './bundle.ts'
import { signFiles } from './signature.ts'
import { builtIn, opa, signingKey } from './test/samples.ts'

const key = signingKey()
const MADE_OF = { team: '0123456789abcdef' }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-bundle-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(join(folder, name), bytes)
  return join(folder, name)
}

test('a bundle opens with its key only, and not after a change of a byte', () => {
  const { bytes, revision } = signBundle(builtIn, MADE_OF, key)
  expect(revision).toMatch(/^[0-9a-f]{16}$/)
  expect(openBundle(bytes, key)).toEqual({
    policy: { wasm: expect.anything(), data: builtIn.data },
    madeOf: MADE_OF,
    revision,
  })
  expect(openBundle(bytes, signingKey())).toBeUndefined()
  expect(openBundle(bytes, { ...key, keyid: 'other' })).toBeUndefined()
  const files = new Map(readTarGz(bytes))
  files.set('data.json', Buffer.from('{}'))
  expect(openBundle(packTarGz(files), key)).toBeUndefined()
  expect(
    openBundle(packTarGz(new Map([...readTarGz(bytes), ['more', Buffer.from('x')]])), key),
  ).toBeUndefined()
  expect(openBundle(Buffer.from('x'), key)).toBeUndefined()
})

test('equal policies have equal revisions; other data is another revision', () => {
  expect(signBundle(builtIn, MADE_OF, key).revision).toBe(signBundle(builtIn, {}, signingKey()).revision)
  expect(signBundle({ ...builtIn, data: {} }, {}, key).revision).not.toBe(
    signBundle(builtIn, MADE_OF, key).revision,
  )
})

test('what does not fit into a ConfigMap is an error with the sizes', () => {
  const wasm = Buffer.from(Array.from({ length: 1_100_000 }, () => Math.floor(Math.random() * 256)))
  expect(() => signBundle({ wasm, data: {} }, {}, key)).toThrow(/11\d{5} bytes, more than the 1000000/)
})

test('equal files make equal archives, which the system tar reads', () => {
  const files = new Map([
    ['data.json', Buffer.from('{}')],
    ['.manifest', Buffer.alloc(1024, 'x')],
  ])
  expect(Buffer.from(packTarGz(files)).equals(packTarGz(files))).toBe(true)
  const listed = execFileSync('tar', ['-tzvf', write('a.tar.gz', packTarGz(files))], { encoding: 'utf8' })
  expect(listed).toMatch(/-rw-r--r-- 0\/0\s+2 1970-01-01 .* \/data\.json\n.*1024.*\/\.manifest/)
  expect(readTarGz(packTarGz(files))).toEqual(files)
})

test('a harmed archive is an Error, never a hang', () => {
  const tar = gunzipSync(packTarGz(new Map([['data.json', Buffer.from('{}')]])))
  expect(() => readTarGz(gzipSync(tar.subarray(0, 700)))).toThrow(/ends within/)
  for (let at = 0; at < 512; at++) {
    const harmed = Buffer.from(tar)
    harmed[at] = (harmed[at] ?? 0) ^ 0x41
    try {
      expect([...readTarGz(gzipSync(harmed)).values()].map(String)).toEqual(['{}'])
    } catch (error) {
      expect(String(error)).toMatch(/^Error: archive /)
    }
  }
})

const ODD = {
  z: 1,
  é: 'ü\u2028\u2029\u0008\u000c\u007f<>&',
  '\u{1F600}': [1.5, 1e21, -0.000001, true, null],
  '\uE000': { 'b"\\': '\n\t' },
  empty: {},
  list: [],
}
const withOpa = opa === undefined ? test.skip : test

withOpa('the hashes are those that OPA signs, also for odd JSON (needs opa)', () => {
  const pem = write('key.pem', key.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  mkdirSync(join(folder, 'b'))
  const text = JSON.stringify(ODD, null, 1)
  write('b/data.json', text)
  write('b/.manifest', '{"roots":["z"],"revision":"1"}')
  execFileSync(opa ?? '', ['sign', '--signing-key', pem, '--signing-alg', 'ES256', '-b', 'b', '-o', '.'], {
    cwd: folder,
  })
  const files = (signatures: string): readonly { readonly name: string }[] => {
    const { signatures: tokens } = JSON.parse(signatures) as { signatures: string[] }
    const body = Buffer.from(tokens[0]!.split('.')[1]!, 'base64url').toString()
    return (JSON.parse(body) as { files: { name: string }[] }).files
  }
  const theirs = files(readFileSync(join(folder, '.signatures.json'), 'utf8'))
  const manifest = Buffer.from('{"roots":["z"],"revision":"1"}')
  const ours = signFiles(
    new Map([
      ['.manifest', manifest],
      ['data.json', Buffer.from(text)],
    ]),
    key,
  )
  expect(files(Buffer.from(ours).toString())).toEqual(
    theirs.map((file) => ({ ...file, name: file.name.replace('b/', '') })),
  )
})

const askOpa = (bundle: string, pem: string): string => {
  const verification = [
    '--verification-key',
    pem,
    '--verification-key-id',
    'postern',
    '--signing-alg',
    'ES256',
  ]
  const args = ['run', '-b', ...verification, '--format', 'json', bundle]
  const { stdout, stderr } = spawnSync(opa ?? '', args, { encoding: 'utf8', input: 'data.z\nexit\n' })
  return stdout + stderr
}

withOpa('OPA verifies and reads what is signed, and nothing with another key (needs opa)', () => {
  const files = new Map([
    ['.manifest', Buffer.from('{"revision":"1"}')],
    ['data.json', Buffer.from(JSON.stringify({ ...ODD, z: 'read' }))],
  ])
  const signed = new Map<string, Uint8Array>([...files, ['.signatures.json', signFiles(files, key)]])
  const [good, bad] = [write('good.pem', key.publicKeyPem), write('bad.pem', signingKey().publicKeyPem)]
  const data = write('data.tar.gz', packTarGz(signed))
  expect(askOpa(data, good)).toContain('"read"')
  expect(askOpa(data, bad)).toMatch(/failed to verify/)
  // As usually built, OPA has no engine for Wasm; it says so after it has verified the bundle.
  const whole = write('bundle.tar.gz', signBundle(builtIn, MADE_OF, key).bytes)
  expect(askOpa(whole, good)).not.toMatch(/verif/)
  expect(askOpa(whole, bad)).toMatch(/failed to verify/)
})
