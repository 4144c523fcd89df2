import { afterAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { readNpy } from './npy.ts'
import { readNpz } from './npz.ts'
import { data } from './test/run.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-npy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const written = (content: Buffer | string, ending = 'npy'): string => {
  const file = join(folder, `${files++}.${ending}`)
  writeFileSync(file, content)
  return file
}

interface Parts {
  readonly version?: readonly [number, number]
  readonly header?: string
  readonly body?: Buffer
}

/** Bytes as numpy.lib.format documents them: magic, version, length, header padded to a multiple of 64, numbers. */
const npy = ({ version = [1, 0], header = HEADER, body = Buffer.from(BODY.buffer) }: Parts): Buffer => {
  const wide = version[0] > 1
  const before = wide ? 12 : 10
  const text = Buffer.from(
    header.padEnd(Math.ceil((header.length + before + 1) / 64) * 64 - before - 1) + '\n',
  )
  const length = Buffer.alloc(wide ? 4 : 2)
  if (wide) length.writeUInt32LE(text.length)
  else length.writeUInt16LE(text.length)
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.from(version), length, text, body])
}

const described = (descr: string, shape = '(2, 3)', order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`
const HEADER = described("'<f4'")
const BODY = new Float32Array([1, 2, 3, 4, 5, 6])
const ROWS = [
  [1, 2, 3],
  [4, 5, 6],
]

const rowsOf = async (content: Buffer): Promise<readonly (readonly number[])[]> =>
  (await readNpy(written(content))).map((row) => [...row])

test.each([
  ['version 1.0', {}],
  ['version 2.0', { version: [2, 0] }],
  ['version 3.0', { version: [3, 0] }],
  ['names in another order', { header: `{"shape":(2,3),"descr":"<f4","fortran_order":False}` }],
  ['sizes of Python 2', { header: described("'<f4'", '(2L, 3L)') }],
] satisfies readonly (readonly [string, Parts])[])('a matrix in %s is read', async (_what, parts) => {
  expect(await rowsOf(npy(parts))).toEqual(ROWS)
})

test('half precision is read to its ends, in both byte orders', async () => {
  const bits = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x0400]
  for (const big of [false, true]) {
    const body = Buffer.alloc(12)
    bits.forEach((each, at) => (big ? body.writeUInt16BE(each, at * 2) : body.writeUInt16LE(each, at * 2)))
    expect(await rowsOf(npy({ header: described(big ? "'>f2'" : "'<f2'"), body }))).toEqual([
      [1, -2, 65_504],
      [2 ** -24, -0, 2 ** -14],
    ])
  }
})

test('a matrix with columns first that is larger than one read comes out row by row', async () => {
  const [rows, columns] = [700, 401]
  const body = Buffer.alloc(rows * columns * 8)
  for (let at = 0; at < rows * columns; at++)
    body.writeDoubleBE((at % rows) * 1000 + Math.floor(at / rows), at * 8)
  const read = await readNpy(
    written(npy({ header: described("'>f8'", `(${rows}, ${columns})`, 'True'), body })),
  )
  expect(read).toHaveLength(rows)
  for (const [at, row] of read.entries())
    expect(row).toEqual(Float64Array.from({ length: columns }, (_, i) => at * 1000 + i))
})

const of = (header: string): Buffer => npy({ header })
const withNumber = (value: number): Buffer =>
  npy({ body: Buffer.from(Float32Array.of(1, 2, 3, 4, value, 6).buffer) })

test.each([
  ['nothing', Buffer.alloc(0), 'is no .npy file'],
  ['a text', Buffer.from('{"text":"a","embedding":[1]}'), 'is no .npy file'],
  ['a pickle', Buffer.from('\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00', 'latin1'), 'is no .npy file'],
  ['an archive', Buffer.from('PK\x03\x04 and the rest'), 'is an archive of several arrays'],
  ['another format', npy({ version: [4, 0] }), 'has format 4.0'],
  ['another minor format', npy({ version: [1, 1] }), 'has format 1.1'],
  ['a cut header', npy({}).subarray(0, 40), 'ends before its header says'],
  [
    'a header beyond all files',
    npy({ version: [2, 0] }).fill(255, 8, 12),
    'has a header of 4294967295 bytes',
  ],
  ['a long header', of(HEADER.padEnd(10_100)), 'has a header of'],
  ['numbers cut off', npy({}).subarray(0, -1), 'has 23 bytes of numbers, where its shape (2, 3) takes 24'],
  ['something behind the numbers', Buffer.concat([npy({}), Buffer.of(0)]), 'has 25 bytes of numbers'],
  ['two matrices', Buffer.concat([npy({}), npy({})]), 'has something behind it'],
  ['another shape', of(described("'<f4'", '(3, 3)')), 'its shape (3, 3) takes 36'],
  ['a negative shape', of(described("'<f4'", '(-2, -3)')), 'no list of sizes from 0 up'],
  ['one dimension', of(described("'<f4'", '(6,)')), 'it has 1 dimensions'],
  ['no dimension', of(described("'<f4'", '()')), 'it has 0 dimensions'],
  ['three dimensions', of(described("'<f4'", '(1, 2, 3)')), 'it has 3 dimensions'],
  ['a number for a shape', of(described("'<f4'", '6')), 'its header is not one'],
  ['a number in brackets', of(described("'<f4'", '(6)')), 'no list of sizes'],
  ['empty sizes', of(described("'<f4'", '(2,,3)')), 'no list of sizes'],
  [
    'a shape whose product overflows',
    of(described("'<f4'", '(4294967296, 4294967296)')),
    'rows of 4294967296 numbers',
  ],
  [
    'a shape beyond all numbers',
    of(described("'<f4'", `(${'9'.repeat(20)}, 3)`)),
    'has 100000000000000000000 rows',
  ],
  ['a longer number', of(described("'<f4'", `(${'9'.repeat(400)}, 3)`)), 'no list of sizes'],
  ['too many rows', of(described("'<f4'", '(65105, 768)')), "numpy.load('all.npy', mmap_mode='r')[:65104]"],
  ['no columns', of(described("'<f4'", '(6, 0)')), 'has rows of 0 numbers'],
  ['no rows', npy({ header: described("'<f4'", '(0, 3)'), body: Buffer.alloc(0) }), 'holds nothing'],
  ['objects', of(described("'|O'")), 'a pickle: loading one can run any code, so it is not read'],
  ['records', of(described("[('a', '|O'), ('b', '<f4')]")), 'it holds records'],
  ['whole numbers', of(described("'<i4'")), 'it holds <i4, where f2, f4 and f8 are read'],
  ['texts', of(described("'<U3'")), 'it holds <U3'],
  ['the byte order of whoever reads', of(described("'f4'")), 'it holds f4'],
  ['a type that is a control sequence', of(described("'\u009b31m'")), 'it holds another type'],
  ['an order that is no truth value', of(described("'<f4'", '(2, 3)', '0')), 'its header is not one'],
  ['a name twice', of(`{'shape': (1, 6), ${HEADER.slice(1)}`), 'its header is not one'],
  ['a name too many', of(`{'extra': True, ${HEADER.slice(1)}`), 'its header is not one'],
  ['a name too few', of(`{'descr': '<f4', 'shape': (2, 3)}`), 'its header is not one'],
  [
    'code',
    of(`{'descr': __import__('os').system('touch /tmp/x'), 'fortran_order': False, 'shape': (2, 3)}`),
    'is not run',
  ],
  ['code behind the dictionary', of(`${HEADER[0]}${HEADER.slice(1)} or exit()`), 'is not run'],
  ['a sum for a size', of(described("'<f4'", '(1+1, 3)')), 'its header is not one'],
  [
    'a name of JavaScript',
    of(`{'__proto__': (2, 3), 'descr': '<f4', 'fortran_order': False}`),
    'its header is not one',
  ],
  ['brackets without end', of(`{'descr': ${'('.repeat(9000)}`), 'its header is not one'],
  ['commas without end', of(`{'descr': '<f4', 'shape': (${' ,'.repeat(4500)}`), 'its header is not one'],
  ['NaN', withNumber(NaN), 'row 1 (the first is 0) has NaN or infinity'],
  ['infinity', withNumber(-Infinity), 'row 1 (the first is 0) has NaN or infinity'],
])('a .npy of %s ends with a clear error', async (_what, content, message) => {
  const file = written(content)
  const { code, out } = await data(file)
  expect(out).toContain(`postern-sec data: ${file}: `)
  expect([code, out]).toEqual([2, expect.stringContaining(message)])
})

test('a matrix that claims more than it has is refused before anything is set aside for it', async () => {
  const file = written(of(described("'<f8'", '(200000, 250)')))
  expect((await data(file)).out).toContain('takes 400000000; it is cut off')
  truncateSync(file, 1 << 40) // a hole of 1 TiB
  expect((await data(file)).out).toContain('has something behind it')
})

test('an archive of matrices, and what is no file, are told', async () => {
  const archive = written('PK', 'npz')
  expect(await data(archive)).toEqual({ code: 2, out: expect.stringContaining('cannot be unpacked') })
  const pipe = join(folder, 'pipe.npy')
  execFileSync('mkfifo', [pipe])
  expect(await data(pipe)).toEqual({ code: 2, out: expect.stringContaining('pipe.npy: is no file') })
  expect(await data(join(folder, 'none.npy'))).toEqual({
    code: 2,
    out: expect.stringContaining('cannot be read (ENOENT)'),
  })
})

/** Vectors of two labels that are far from each other, one of which is far from both. */
const handbook = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    text: `page ${at} of the handbook of the shop number ${at * 7}`,
    label: at % 2 === 0 ? 'even' : 'odd',
    embedding: Array.from(
      { length: 8 },
      (_each, i) => Math.sin(at * 12.9898 + i * 78.233) + (at % 2) * 50 + (at === 33 ? 40 : 0),
    ),
  }))

const matrixOf = (records: ReturnType<typeof handbook>): Buffer =>
  npy({
    header: described("'<f4'", `(${records.length}, 8)`),
    body: Buffer.from(Float32Array.from(records.flatMap(({ embedding }) => embedding)).buffer),
  })

test('a matrix alone is checked, and findings name its rows', async () => {
  const file = written(
    matrixOf(
      handbook(400).map((each, at) =>
        at % 2 === 1 ? each : { ...each, embedding: each.embedding.map((value) => value + 50) },
      ),
    ),
  )
  const { code, out } = await data(file)
  expect(code).toBe(1)
  expect(out).toContain('no record has a text, so only vectors are looked at')
  expect(out).toMatch(/vector-outlier: .* \(ids "row 33"\)/)
})

test('a matrix beside a file goes with its texts and labels, and findings name lines', async () => {
  const records = handbook(400)
  const lines = records.map(({ text, label }) => JSON.stringify({ text, label }))
  const matrix = written(matrixOf(records))
  for (const file of [
    written(lines.join('\n'), 'jsonl'),
    written(`text,label\n${records.map(({ text, label }) => `${text},${label}`).join('\n')}\n`, 'csv'),
  ]) {
    const { code, out } = await data(file, '--vectors', matrix)
    expect([code, out]).toEqual([1, expect.stringMatching(/:34: vector-outlier: .* \(lines 34\)/)])
  }
})

test('a matrix that does not go with its file is refused', async () => {
  const records = handbook(3)
  const lines = (count: number): string =>
    records
      .slice(0, count)
      .map((each) => JSON.stringify(each))
      .join('\n')
  const matrix = written(matrixOf(records))
  const file = written(lines(2), 'jsonl')
  expect(await data(file, '--vectors', matrix)).toEqual({
    code: 2,
    out: expect.stringContaining(`has 3 rows where ${file} has 2 records`),
  })
  const own = await data(written(lines(3), 'jsonl'), '--vectors', matrix)
  expect(own).toEqual({ code: 2, out: expect.stringContaining('record 1 has a vector of its own') })
  for (const args of [[], [file, file], [matrix]])
    expect((await data(...args, '--vectors', matrix)).out).toContain(
      '--vectors takes a .npy or .npz beside the one FILE',
    )
  expect((await data(file, '--vectors', file)).out).toContain('--vectors takes a .npy')
  const store = await data('--qdrant', 'http://127.0.0.1:1', '--collection', 'a', '--vectors', matrix)
  expect(store).toEqual({ code: 2, out: expect.stringContaining('name files, or one store') })
})

const hasNumpy = (python: string): boolean => {
  try {
    execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const python = ['python3', join(homedir(), '.cache/postern-governance/bin/python')].find(hasNumpy)

const WRITE = `
import json, sys, numpy
from numpy.lib import format
matrix = numpy.arange(600, dtype='f8').reshape(40, 15) / 8 - 30
for version in [(1, 0), (2, 0), (3, 0)]:
    for kind in ['<f2', '>f2', '<f4', '>f4', '<f8', '>f8']:
        for order in 'CF':
            with open(f'{sys.argv[1]}/{version[0]}{kind[0] == "<"}{kind[1:]}{order}.npy', 'wb') as file:
                format.write_array(file, numpy.array(matrix, dtype=kind, order=order), version=version)
for name, array in {'slice': matrix[::2, 1:4], 'turned': matrix.T, 'objects': numpy.array([[{}]]), 'flat': matrix[0],
                    'records': numpy.zeros(3, dtype=[('a', 'f4')]), 'whole': numpy.ones((2, 2), dtype='i8')}.items():
    numpy.save(f'{sys.argv[1]}/{name}.npy', array)
numpy.savez(f'{sys.argv[1]}/archive.npz', matrix)
print(json.dumps({'matrix': matrix.tolist(), 'slice': matrix[::2, 1:4].tolist(), 'turned': matrix.T.tolist()}))
`

const title = 'what a real NumPy writes is read number by number, or refused with the reason'
const real = async (): Promise<void> => {
  const out = mkdtempSync(join(folder, 'numpy-'))
  const said = execFileSync(python ?? '', ['-c', WRITE, out], { encoding: 'utf8' })
  const expected = JSON.parse(said) as Readonly<Record<string, readonly (readonly number[])[]>>
  const read = async (name: string) => (await readNpy(join(out, `${name}.npy`))).map((row) => [...row])
  for (const version of [1, 2, 3])
    for (const kind of ['Truef2', 'Falsef2', 'Truef4', 'Falsef4', 'Truef8', 'Falsef8'])
      for (const order of ['C', 'F'])
        expect(await read(`${version}${kind}${order}`)).toEqual(expected['matrix'])
  for (const name of ['slice', 'turned']) expect(await read(name)).toEqual(expected[name])
  await expect(read('objects')).rejects.toThrow('pickle')
  await expect(read('records')).rejects.toThrow('it holds records')
  await expect(read('flat')).rejects.toThrow('it has 1 dimensions')
  await expect(read('whole')).rejects.toThrow('it holds <i8')
  expect((await readNpz(join(out, 'archive.npz'), undefined)).map((row) => [...row])).toEqual(
    expected['matrix'],
  )
}
if (python === undefined) test.skip(`${title} (skipped: no python3 has numpy; pip install numpy)`, real)
else test(title, real, 60_000)
