import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { MAX_DIMENSIONS, MAX_NUMBERS, MAX_ROWS } from './bounds.ts'
import { parseHeader, type NpyHeader } from './npy-header.ts'

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')
const MAX_HEADER = 10_000 // bytes; NumPy's own max_header_size
const CHUNK = 1 << 20 // bytes, a whole number of numbers

/** Bytes of one array, from its first to its last. */
export interface Bytes {
  readonly size: number
  /** Throws an Error when they end first. */
  readonly fill: (buffer: Buffer) => Promise<void>
}

export const CUT_OFF = 'ends before its header says; it is cut off, so get it anew'

/**
 * Reads the matrix that NumPy wrote with `numpy.save`, one vector a row: format 1.0 to 3.0, numbers f2, f4 or f8 in either byte order, rows
 * or columns first. The file is read through one buffer and nothing in it is run. Throws an Error that begins with the file for what is
 * longer or shorter than its shape says, for more than 200,000 rows, 4096 numbers a row or 50 million in all, and for NaN and infinity.
 */
export const readNpy = (file: string): Promise<readonly Float64Array[]> =>
  withFile(file, async (handle, size) => {
    let position = 0
    const fill = async (buffer: Buffer): Promise<void> => {
      for (let at = 0; at < buffer.length;) {
        const { bytesRead } = await handle.read(buffer, at, buffer.length - at, position)
        if (bytesRead === 0) throw new Error(CUT_OFF)
        at += bytesRead
        position += bytesRead
      }
    }
    return matrixOf({ size, fill })
  })

/** Errors of what is done with the file begin with its name. */
export const withFile = async <T>(
  file: string,
  use: (handle: FileHandle, size: number) => Promise<T>,
): Promise<T> => {
  // Not held up by a pipe that nobody writes to.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new Error(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, {
      cause,
    })
  })
  try {
    const about = await handle.stat()
    if (!about.isFile()) throw new Error('is no file')
    return await use(handle, about.size)
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause })
  } finally {
    await handle.close()
  }
}

export const matrixOf = async (bytes: Bytes): Promise<readonly Float64Array[]> => {
  const { header, start } = await headerOf(bytes)
  const { rows, columns, width } = header
  checkShape(header)
  const rest = bytes.size - start
  if (rest !== rows * columns * width)
    throw new Error(
      `has ${rest} bytes of numbers, where its shape (${rows}, ${columns}) takes ${rows * columns * width}; it is cut off or has something behind it, so get it anew`,
    )
  const values = await numbersOf(bytes, header)
  return Array.from({ length: rows }, (_, at) => values.subarray(at * columns, (at + 1) * columns))
}

const headerOf = async ({
  size,
  fill,
}: Bytes): Promise<{ readonly header: NpyHeader; readonly start: number }> => {
  const head = Buffer.alloc(Math.min(8, size))
  await fill(head)
  if (head.subarray(0, 2).toString() === 'PK')
    throw new Error('is an archive of several arrays; give it a name that ends in .npz')
  if (size < 12 || !head.subarray(0, MAGIC.length).equals(MAGIC))
    throw new Error('is no .npy file; write it with numpy.save')
  const [major = 0, minor = 0] = head.subarray(6, 8)
  if (major < 1 || major > 3 || minor !== 0)
    throw new Error(
      `has format ${major}.${minor}, where 1.0, 2.0 and 3.0 are known; write it with numpy.save`,
    )
  const length = Buffer.alloc(major === 1 ? 2 : 4)
  await fill(length)
  const most = length.readUIntLE(0, length.length)
  if (most > MAX_HEADER)
    throw new Error(
      `has a header of ${most} bytes, where one of numbers has some hundred; write it with numpy.save`,
    )
  const text = Buffer.alloc(most)
  await fill(text)
  return { header: parseHeader(text.toString('latin1')), start: head.length + length.length + most }
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

const numbersOf = async ({ fill }: Bytes, header: NpyHeader): Promise<Float64Array> => {
  const { rows, columns, width, fortranOrder } = header
  const values = new Float64Array(rows * columns)
  const read = readerOf(header)
  const buffer = Buffer.alloc(Math.min(CHUNK, values.length * width))
  for (let at = 0; at < values.length;) {
    const count = Math.min(buffer.length / width, values.length - at)
    const view = new DataView(buffer.buffer, buffer.byteOffset, count * width)
    await fill(buffer.subarray(0, count * width))
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
