import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { MAX_DIMENSIONS, MAX_NUMBERS, MAX_ROWS } from './bounds.ts'
import { parseHeader, type NpyHeader } from './npy-header.ts'

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')
const MAX_HEADER = 10_000 // bytes; NumPy's own max_header_size
const CHUNK = 1 << 20 // bytes, a whole number of numbers

/**
 * Reads the matrix that NumPy wrote with `numpy.save`, one vector a row: format 1.0 to 3.0, numbers f2, f4 or f8 in either byte order, rows
 * or columns first. The file is read through one buffer and nothing in it is run. Throws an Error that begins with the file for what is
 * longer or shorter than its shape says, for more than 200,000 rows, 4096 numbers a row or 50 million in all, and for NaN and infinity.
 */
export const readNpy = async (file: string): Promise<readonly Float64Array[]> => {
  if (/\.npz$/i.test(file)) throw new Error(`${file}: ${ARCHIVE}`)
  // Not held up by a pipe that nobody writes to.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new Error(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      cause,
    })
  })
  try {
    return await matrixOf(handle)
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause })
  } finally {
    await handle.close()
  }
}

const ARCHIVE =
  "is an archive of several arrays, which is not read; take out the one with the vectors: numpy.save('out.npy', numpy.load('in.npz')['NAME'])"

const matrixOf = async (handle: FileHandle): Promise<readonly Float64Array[]> => {
  const about = await handle.stat()
  if (!about.isFile()) throw new Error('is no file')
  const { header, start } = await headerOf(handle)
  const { rows, columns, width } = header
  checkShape(header)
  const bytes = about.size - start
  if (bytes !== rows * columns * width)
    throw new Error(
      `has ${bytes} bytes of numbers, where its shape (${rows}, ${columns}) takes ${rows * columns * width}; it is cut off or has something behind it, so get it anew`,
    )
  const values = await numbersOf(handle, header, start)
  return Array.from({ length: rows }, (_, at) => values.subarray(at * columns, (at + 1) * columns))
}

const headerOf = async (
  handle: FileHandle,
): Promise<{ readonly header: NpyHeader; readonly start: number }> => {
  const head = Buffer.alloc(12)
  const { bytesRead } = await handle.read(head, 0, head.length, 0)
  if (head.subarray(0, 2).toString() === 'PK') throw new Error(ARCHIVE)
  if (bytesRead < head.length || !head.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error('is no .npy file; write it with numpy.save')
  const [major = 0, minor = 0] = head.subarray(6, 8)
  if (major < 1 || major > 3 || minor !== 0)
    throw new Error(
      `has format ${major}.${minor}, where 1.0, 2.0 and 3.0 are known; write it with numpy.save`,
    )
  const [size, from] = major === 1 ? [head.readUInt16LE(8), 10] : [head.readUInt32LE(8), 12]
  if (size > MAX_HEADER)
    throw new Error(
      `has a header of ${size} bytes, where one of numbers has some hundred; write it with numpy.save`,
    )
  const text = Buffer.alloc(size)
  await fill(handle, text, from)
  return { header: parseHeader(text.toString('latin1')), start: from + size }
}

const checkShape = ({ rows, columns }: NpyHeader): void => {
  if (columns < 1 || columns > MAX_DIMENSIONS)
    throw new Error(`has rows of ${columns} numbers, where vectors have 1 to ${MAX_DIMENSIONS}`)
  const most = Math.min(MAX_ROWS, Math.floor(MAX_NUMBERS / columns))
  if (rows > most)
    throw new Error(
      `has ${rows} rows, where ${most} of ${columns} numbers are checked at once; check it in parts: numpy.save('part.npy', numpy.load('all.npy', mmap_mode='r')[:${most}])`,
    )
}

const numbersOf = async (handle: FileHandle, header: NpyHeader, start: number): Promise<Float64Array> => {
  const { rows, columns, width, fortranOrder } = header
  const values = new Float64Array(rows * columns)
  const read = readerOf(header)
  const buffer = Buffer.alloc(Math.min(CHUNK, values.length * width))
  for (let at = 0; at < values.length;) {
    const count = Math.min(buffer.length / width, values.length - at)
    const view = new DataView(buffer.buffer, buffer.byteOffset, count * width)
    await fill(handle, buffer.subarray(0, count * width), start + at * width)
    for (let i = 0; i < count; i++, at++) {
      const place = fortranOrder ? (at % rows) * columns + Math.floor(at / rows) : at
      const value = read(view, i * width)
      if (!Number.isFinite(value))
        throw new Error(
          `row ${Math.floor(place / columns)} (the first is 0) has NaN or infinity, which is near to nothing or to everything; find out who made it, and leave it out`,
        )
      values[place] = value
    }
  }
  return values
}

const readerOf = ({ width, littleEndian }: NpyHeader): ((view: DataView, at: number) => number) => {
  if (width === 8) return (view, at) => view.getFloat64(at, littleEndian)
  if (width === 4) return (view, at) => view.getFloat32(at, littleEndian)
  return (view, at) => half(view.getUint16(at, littleEndian))
}

/** IEEE 754 binary16. */
const half = (bits: number): number => {
  const sign = bits >> 15 === 0 ? 1 : -1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Throws an Error when the file ends first. */
const fill = async (handle: FileHandle, buffer: Buffer, position: number): Promise<void> => {
  for (let at = 0; at < buffer.length;) {
    const { bytesRead } = await handle.read(buffer, at, buffer.length - at, position + at)
    if (bytesRead === 0) throw new Error('ends before its header says; it is cut off, so get it anew')
    at += bytesRead
  }
}
