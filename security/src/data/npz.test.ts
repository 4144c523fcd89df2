import { afterAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { readNpz } from './npz.ts'
import { data } from './test/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-npz-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const written = (content: Buffer, ending = 'npz'): string => {
  const file = join(folder, `${files++}.${ending}`)
  writeFileSync(file, content)
  return file
}

/** A matrix of f4 as numpy.save writes it. */
const npy = (
  rows: readonly (readonly number[])[],
  shape = `(${rows.length}, ${rows[0]?.length ?? 0})`,
): Buffer => {
  const header = Buffer.from(
    `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n',
  )
  const length = Buffer.from([header.length & 255, header.length >> 8])
  const body = Buffer.from(Float32Array.from(rows.flat()).buffer)
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, body])
}

interface Entry {
  readonly name: string
  readonly content: Buffer
  readonly packed?: boolean
  /** What the archive says of it, if not the truth. */
  readonly size?: number
  readonly crc?: number
  readonly flags?: number
  readonly method?: number
}

/** An archive as PKWARE's APPNOTE 6.3 describes it: each file behind a header, then the list of all. */
const zip = (entries: readonly Entry[]): Buffer => {
  const parts: Buffer[] = []
  const list: Buffer[] = []
  let offset = 0
  for (const { name, content, packed = false, ...said } of entries) {
    const bytes = packed ? deflateRawSync(content) : content
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(said.flags ?? 0, 2)
    common.writeUInt16LE(said.method ?? (packed ? 8 : 0), 4)
    common.writeUInt32LE(said.crc ?? crc32(content), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(said.size ?? content.length, 18)
    common.writeUInt16LE(name.length, 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    list.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name))
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), bytes)
    offset += 30 + name.length + bytes.length
  }
  const directory = Buffer.concat(list)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, directory, end])
}

const ROWS = [
  [1, 2, 3],
  [4, 5, 6],
]
const plain = async (file: string, array?: string) => (await readNpz(file, array)).map((row) => [...row])

test('the only array is read, packed or not', async () => {
  for (const packed of [false, true])
    expect(await plain(written(zip([{ name: 'arr_0.npy', content: npy(ROWS), packed }])))).toEqual(ROWS)
})

test('of several arrays the named one is read, and without a name they are listed', async () => {
  const file = written(
    zip([
      { name: 'ids.npy', content: npy([[7], [8]]) },
      { name: 'vectors.npy', content: npy(ROWS), packed: true },
      { name: 'notes.txt', content: Buffer.from('made by hand') },
    ]),
  )
  expect(await plain(file, 'vectors')).toEqual(ROWS)
  for (const args of [[], ['--array', 'none']])
    expect(await data(file, ...args)).toEqual({
      code: 2,
      out: expect.stringContaining('has the arrays ids, vectors; name the one with the vectors with --array'),
    })
})

test('an archive larger than what is unpacked at once comes out row by row', async () => {
  const rows = Array.from({ length: 3000 }, (_, at) => Array.from({ length: 200 }, (_each, i) => at + i))
  expect(await plain(written(zip([{ name: 'a.npy', content: npy(rows), packed: true }])))).toEqual(rows)
})

test('vectors of an archive go beside a file with texts', async () => {
  const texts = written(Buffer.from('{"text":"a"}\n{"text":"b"}'), 'jsonl')
  const file = written(zip([{ name: 'a.npy', content: npy(ROWS) }]))
  expect(await data(texts, '--vectors', file, '--array', 'a')).toEqual({ code: 0, out: 'nothing found\n' })
  expect((await data(texts, '--array', 'a')).out).toContain('--array names one of the arrays of a .npz')
})

const one = (entry: Partial<Entry>): Buffer => zip([{ name: 'a.npy', content: npy(ROWS), ...entry }])
const bomb = npy([[0, 0]], '(1, 2)')

test.each([
  ['of another format', Buffer.from('not an archive at all, but long enough'), 'cannot be unpacked'],
  ['cut off', one({}).subarray(0, -30), 'cannot be unpacked'],
  ['without arrays', zip([{ name: 'a.txt', content: Buffer.from('a') }]), 'has no arrays'],
  [
    'with a name twice',
    Buffer.concat([zip([1, 2].map(() => ({ name: 'a.npy', content: npy(ROWS) })))]),
    'cannot be unpacked',
  ],
  ['with a password', one({ flags: 1, packed: true }), 'is encrypted, or packed in a way'],
  ['packed with bzip2', one({ method: 12 }), 'is encrypted, or packed in a way'],
  ['with another checksum', one({ crc: 1 }), 'has another checksum'],
  ['that says less than it holds', one({ packed: true, size: 130 }), 'cannot be unpacked'],
  ['that says more than it holds', one({ packed: true, size: 1 << 20 }), 'has 1048448 bytes of numbers'],
  [
    'that unpacks to more than it says',
    one({ packed: true, content: Buffer.concat([bomb, Buffer.alloc(1 << 24)]), size: bomb.length }),
    'cannot be unpacked',
  ],
  ['of a pickle', one({ content: Buffer.from('\x80\x04\x95 and much more', 'latin1') }), 'is no .npy file'],
])('an archive %s ends with a clear error', async (_what, content, message) => {
  const file = written(content)
  const { code, out } = await data(file)
  expect([code, out]).toEqual([2, expect.stringContaining(message)])
  expect(out).toContain(`postern-sec data: ${file}: `)
})
