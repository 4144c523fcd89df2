import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'

/** One file of an archive. */
export interface TarEntry {
  readonly name: string
  /** Where its bytes are in the archive. */
  readonly start: number
  readonly size: number
}

export interface TarWriter {
  /** Adds a file whose bytes come in pieces. Returns the SHA-256 of all, hex. */
  add(name: string, pieces: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string>
  /** Nothing can be added after it. */
  end(): Promise<void>
}

const BLOCK = 512

/** A ustar archive in a new file, mode 0600. Throws when there is such a file. Owner 0, every time `mtime`: equal content gives equal bytes. */
export const tarWriter = async (path: string, mtime: Date): Promise<TarWriter> => {
  const file = await open(path, 'wx', 0o600)
  let at = 0
  const write = async (bytes: Buffer): Promise<void> => {
    await writeAll(file, bytes, at)
    at += bytes.length
  }
  return {
    add: async (name, pieces) => {
      const header = at
      const digest = createHash('sha256')
      await write(Buffer.alloc(BLOCK))
      for await (const piece of pieces) {
        digest.update(piece)
        await write(piece)
      }
      const size = at - header - BLOCK
      await write(Buffer.alloc(padding(size)))
      await writeAll(file, headerOf(name, size, mtime), header)
      return digest.digest('hex')
    },
    end: async () => {
      await write(Buffer.alloc(2 * BLOCK))
      await file.sync()
      await file.close()
    },
  }
}

const writeAll = async (file: FileHandle, bytes: Buffer, position: number): Promise<void> => {
  for (let done = 0; done < bytes.length;)
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK

const MOST_OCTAL = 0o77777777777

const headerOf = (name: string, size: number, mtime: Date): Buffer => {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, digits: number): void =>
    void header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1')
  if (name.length > 100) throw new RangeError(`the name ${name} is too long for an archive`)
  header.write(name, 0, 'latin1')
  octal(0o644, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  if (size <= MOST_OCTAL) octal(size, 124, 11)
  else {
    // As GNU tar writes what eleven octal digits, 8 GiB, cannot hold.
    header[124] = 0x80
    header.writeBigUInt64BE(BigInt(size), 128)
  }
  octal(Math.floor(mtime.getTime() / 1000), 136, 11)
  header.write('        0', 148, 'latin1')
  header.write('ustar\u000000', 257, 'latin1')
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  )
  return header
}

const MOST_ENTRIES = 1000

/** The files of an archive, by name. Throws an Error for what is none, is cut short, or has a name twice or another kind of entry. */
export const tarEntries = async (path: string): Promise<ReadonlyMap<string, TarEntry>> => {
  const file = await open(path, 'r')
  try {
    const { size: length } = await file.stat()
    const entries = new Map<string, TarEntry>()
    for (let at = 0; ;) {
      const header = Buffer.alloc(BLOCK)
      await file.read(header, 0, BLOCK, at)
      const name = header.toString('latin1', 0, 100).replace(/\0.*$/s, '')
      if (name === '') return entries
      const size = sizeIn(header)
      const isFile = header[156] === 0x30 || header[156] === 0
      if (!isFile || header.toString('latin1', 257, 262) !== 'ustar' || Number.isNaN(size))
        throw new Error(`${path} is not an archive of files`)
      if (at + BLOCK + size > length) throw new Error(`${path} is cut short`)
      if (entries.has(name) || entries.size === MOST_ENTRIES) throw new Error(`${path} has ${name} twice`)
      entries.set(name, { name, start: at + BLOCK, size })
      at += BLOCK + size + padding(size)
    }
  } finally {
    await file.close()
  }
}

const sizeIn = (header: Buffer): number => {
  if (header[124] === 0x80) return Number(header.readBigUInt64BE(128))
  const digits = header.toString('latin1', 124, 135)
  return /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : NaN
}
