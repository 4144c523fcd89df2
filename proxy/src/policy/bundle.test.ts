import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readBundle } from './bundle.ts'
import { readTarGz } from '../core/tar.ts'
import { tarGz } from './test/real-opa.ts'

const generated = new URL('generated/', import.meta.url)

let folder: string
let bundle: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-bundle-'))
  bundle = join(folder, 'bundle')
  mkdirSync(bundle)
  for (const name of ['policy.wasm', 'data.json']) cpSync(new URL(name, generated), join(bundle, name))
  writeFileSync(join(bundle, '.manifest'), '{"revision":"v7"}')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const packed = (...files: readonly string[]): string => {
  const archive = join(folder, 'bundle.tar.gz')
  tarGz(bundle, archive, ...files)
  return archive
}

test('the built-in bundle has the revision of its manifest', async () => {
  const { revision } = JSON.parse(readFileSync(new URL('manifest.json', generated), 'utf8'))
  expect((await readBundle({})).revision).toBe(revision)
})

test('an archive and its folder are the same bundle', async () => {
  const [one, other] = [await readBundle({ bundle: packed('.') }), await readBundle({ bundle })]
  expect(one.revision).toBe('v7')
  expect(other.revision).toBe('v7')
  expect(one.data).toEqual(other.data)
})

test('without a revision, the contents name it', async () => {
  writeFileSync(join(bundle, '.manifest'), '{}')
  const first = await readBundle({ bundle })
  writeFileSync(join(bundle, 'data.json'), '{}')
  expect(first.revision).toMatch(/^sha256\.[0-9a-f]{16}$/)
  expect((await readBundle({ bundle })).revision).not.toBe(first.revision)
})

test("own data takes the place of the bundle's and shows in the revision", async () => {
  const data = join(folder, 'own.json')
  writeFileSync(data, '{"roles":{}}')
  const read = await readBundle({ bundle, data })
  expect(read.data).toEqual({ roles: {} })
  expect(read.revision).toMatch(/^v7\+data\.[0-9a-f]{16}$/)
})

test.each([
  ['a missing file', () => rmSync(bundle, { recursive: true }), /ENOENT/],
  ['no policy.wasm', () => rmSync(join(bundle, 'policy.wasm')), /has no policy\.wasm/],
  ['no data.json', () => rmSync(join(bundle, 'data.json')), /has no data\.json/],
  ['broken Wasm', () => writeFileSync(join(bundle, 'policy.wasm'), 'x'), /does not compile/],
  ['broken data', () => writeFileSync(join(bundle, 'data.json'), '{'), /is not JSON/],
  ['data that is a list', () => writeFileSync(join(bundle, 'data.json'), '[]'), /is not a JSON object/],
  [
    'a revision with a line break',
    () => writeFileSync(join(bundle, '.manifest'), '{"revision":"a\\nb"}'),
    /revision/,
  ],
])('%s is said', async (_, harm, message) => {
  harm()
  await expect(readBundle({ bundle })).rejects.toThrow(message)
})

test('data below the top is not left out silently', async () => {
  mkdirSync(join(bundle, 'roles'))
  writeFileSync(join(bundle, 'roles/data.json'), '{}')
  await expect(readBundle({ bundle: packed('.') })).rejects.toThrow(/only data\.json at the top/)
})

test('an archive with a link, a doubled path, a wrong checksum or a cut end is refused', () => {
  const path = packed('data.json')
  expect([...readTarGz(readFileSync(path)).keys()]).toEqual(['data.json'])
  const tar = gunzipSync(readFileSync(path))
  expect(() => readTarGz(gzipSync(tar.subarray(0, 700)))).toThrow(/ends within/)
  const flipped = Buffer.from(tar)
  flipped[0] = 0x65
  expect(() => readTarGz(gzipSync(flipped))).toThrow(/checksum/)
  tarGz(bundle, path, 'data.json', 'data.json', '--hard-dereference')
  expect(() => readTarGz(readFileSync(path))).toThrow(/twice/)
  symlinkSync('/etc/passwd', join(bundle, 'link'))
  tarGz(bundle, path, 'link')
  expect(() => readTarGz(readFileSync(path))).toThrow(/neither a plain file nor a folder/)
})

test('an archive that unpacks to more than 64 MiB is refused', () => {
  expect(() => readTarGz(gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toThrow(/larger than/)
})

test('no archive makes the reader throw anything but an Error or run on', () => {
  const tar = gunzipSync(readFileSync(packed('data.json')))
  for (let at = 0; at < 512; at++) {
    const harmed = Buffer.from(tar)
    harmed[at] = (harmed[at] ?? 0) ^ 0x41
    try {
      readTarGz(gzipSync(harmed))
    } catch (error) {
      expect(error).toBeInstanceOf(Error)
    }
  }
})
