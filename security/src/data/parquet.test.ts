import { afterAll, expect, test } from '@jest/globals'
import { parquetMetadata } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readParquet } from './parquet.ts'
import { data } from './test/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-parquet-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Made by fixtures/make.py. */
const fixture = (name: string): string => join(import.meta.dirname, 'fixtures', `${name}.parquet`)
const FIELDS = { text: ['text'], label: 'label', embedding: 'embedding' }
const SMALL = { heapMb: 256, totalMs: 60_000, idleMs: 60_000 }

let files = 0
const written = (content: Buffer): string => {
  const file = join(folder, `${files++}.parquet`)
  writeFileSync(file, content)
  return file
}

const plain = async (name: string, fields = FIELDS) =>
  (await readParquet(fixture(name), fields, SMALL)).map((row) => ({
    ...row,
    embedding: row.embedding === undefined ? undefined : [...Array.from(row.embedding)],
  }))

const handbook = (label: (at: number) => string) =>
  Array.from({ length: 60 }, (_, at) => ({
    line: at + 1,
    text: `page ${at} of the handbook, and once more: page ${at}`,
    label: label(at),
    embedding: [at / 8, 0 - at / 4, 1, 0],
  }))

test.each(['none', 'snappy', 'gzip', 'brotli', 'zstd'])(
  'three row groups packed with %s are read, in both versions of pages, with the names of classes',
  async (codec) => {
    for (const version of [1, 2])
      expect(await plain(`${codec}-${version}`)).toEqual(handbook((at) => (at % 2 === 0 ? 'odd' : 'even')))
  },
)

test('other encodings are read, and integers without names stay what they are', async () => {
  expect(await plain('delta')).toEqual(handbook((at) => String(at % 2)))
})

test('the turns of a conversation are one text, and several labels a list', async () => {
  expect(await plain('chat', { ...FIELDS, text: ['messages'], label: 'topics' })).toEqual([
    { line: 1, text: 'question 0\nanswer 0', label: '["0"]', embedding: undefined },
    { line: 2, text: 'question 1\n', label: '["0","1"]', embedding: undefined },
    { line: 3, text: 'question 2\nanswer 2', label: '[]', embedding: undefined },
  ])
})

test('what pandas writes is read, categories and missing values too', async () => {
  expect(await plain('pandas')).toEqual([
    { line: 1, text: 'a', label: 'x', embedding: [1, 2] },
    { line: 2, text: '', label: '', embedding: undefined },
    { line: 3, text: 'c', label: 'x', embedding: [3, 4] },
  ])
})

test('vectors without texts are read, in half precision', async () => {
  const rows = await plain('halves', { ...FIELDS, embedding: 'vector' })
  expect(rows.map(({ embedding }) => embedding)).toEqual([
    [0.5, -2],
    [1, 4],
  ])
})

test('several columns are one text', async () => {
  const [first] = await plain('zstd-1', { ...FIELDS, text: ['text', 'label'] })
  expect(first?.text).toBe('page 0 of the handbook, and once more: page 0\nodd')
})

const damaged = (name: string, change: (bytes: Buffer) => Buffer): string =>
  written(change(readFileSync(fixture(name))))
const NONE = ['text', 'label', 'embedding', 'unused'].join(', ')

test.each([
  [
    'packed with a codec that is not read',
    fixture('lz4-1'),
    'is compressed with LZ4_RAW, where uncompressed',
  ],
  ['in an encoding that may stand for terabytes', fixture('prefixes'), 'encoded as DELTA_BYTE_ARRAY'],
  ['of too many records', fixture('many'), "split='train[:200000]'"],
  ['with NaN', fixture('nan'), 'row 0: embedding is no list of 1 to 4096 numbers'],
  ['without records', fixture('empty'), 'holds nothing'],
  ['cut off', damaged('zstd-1', (bytes) => bytes.subarray(0, -1)), 'does not end like a Parquet file'],
  ['of three bytes', written(Buffer.from('PAR')), 'ends too early'],
  [
    'with a footer longer than the file',
    damaged('zstd-1', (bytes) => bytes.fill(0xff, bytes.length - 8, bytes.length - 4)),
    'has a footer of 4294967295 bytes',
  ],
  [
    'with a broken footer',
    damaged('zstd-1', (bytes) => bytes.fill(0xff, bytes.length - 1000, bytes.length - 8)),
    'it is damaged',
  ],
  ['with a broken page', damaged('zstd-1', (bytes) => bytes.fill(0xff, 100, 200)), 'it is damaged'],
  [
    'with a wrong checksum',
    damaged('checksums', (bytes) => bytes.fill(0x41, 900, 901)),
    'checksum of a page',
  ],
  [
    'with an encrypted footer',
    damaged('zstd-1', (bytes) => bytes.fill('PARE', bytes.length - 4)),
    'encrypted footer',
  ],
])('a file %s ends with a clear error', async (_what, file, message) => {
  const { code, out } = await data(file)
  expect([code, out]).toEqual([2, expect.stringContaining(message)])
  expect(out).toContain(`postern-sec data: ${file}: `)
})

test('a column that was named and is not there is told with those that are', async () => {
  for (const option of ['--text', '--label', '--embedding'])
    expect(await data(fixture('zstd-1'), option, 'body')).toEqual({
      code: 2,
      out: expect.stringContaining(`has no column body; it has ${NONE}`),
    })
})

test('what is no file is told', async () => {
  const pipe = join(folder, 'pipe.parquet')
  execFileSync('mkfifo', [pipe])
  expect((await data(pipe)).out).toContain('pipe.parquet: is no file')
  expect((await data(join(folder, 'none.parquet'))).out).toContain('cannot be read (ENOENT)')
})

test('a run length that ends the process which decodes it is an error', async () => {
  const bytes = readFileSync(fixture('none-1'))
  const meta = parquetMetadata(bytes).row_groups[0]?.columns[1]?.meta_data
  const reader = {
    view: new DataView(bytes.buffer, bytes.byteOffset),
    offset: Number(meta?.data_page_offset),
  }
  parquetHeader(reader)
  // Behind four bytes with a length: a run of 2 ** 30 times the level 1.
  bytes.set([0xfe, 0xff, 0xff, 0xff, 0x0f, 1], reader.offset + 4)
  await expect(readParquet(written(bytes), FIELDS, SMALL)).rejects.toThrow(
    'ended the process that decodes it',
  )
})

test('what takes too long is given up', async () => {
  await expect(readParquet(fixture('zstd-1'), FIELDS, { ...SMALL, totalMs: 1 })).rejects.toThrow(
    'takes longer than 0.001 s',
  )
})

test('of files with random damage each gives rows or an error', async () => {
  let state = 1
  const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below
  for (const name of ['none-1', 'snappy-2', 'zstd-1', 'delta', 'chat', 'pandas'])
    for (let i = 0; i < 4; i++) {
      const file = damaged(name, (bytes) => {
        for (let n = 0; n < 3; n++) bytes[random(bytes.length)] = random(256)
        return bytes
      })
      const { code, out } = await data(file, '--text', name === 'chat' ? 'messages' : 'text')
      expect([0, 1, 2]).toContain(code)
      expect(out).not.toBe('')
    }
}, 180_000)
