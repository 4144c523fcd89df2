import { gunzipSync, gzipSync } from 'node:zlib'

const BLOCK = 512
/** Bytes after unpacking. */
const MAX_BYTES = 64 * 1024 * 1024

/** Files by path, in the order given, as a gzipped tar (POSIX ustar) with a `/` before each path, as OPA has it. Equal files give equal bytes: no times, no owners. Throws Error for a path above 98 bytes. */
export const packTarGz = (files: ReadonlyMap<string, Uint8Array>): Uint8Array => {
  const blocks: Uint8Array[] = []
  for (const [path, bytes] of files) {
    blocks.push(header(`/${path}`, bytes.length), bytes, Buffer.alloc(padding(bytes.length)))
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 9 })
}

/**
 * The plain files of a gzipped tar that `packTarGz` or `opa build` made, by path without a leading `/`.
 * Throws Error for links, folders, paths longer than 100 bytes, a path twice, a wrong checksum, or more than 64 MiB.
 */
export const unpackTarGz = (archive: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const tar = gunzipSync(archive, { maxOutputLength: MAX_BYTES })
  const files = new Map<string, Uint8Array>()
  for (let at = 0; ;) {
    const block = tar.subarray(at, at + BLOCK)
    if (block.length < BLOCK) throw new Error('the archive ends within an entry')
    if (block.every((byte) => byte === 0)) return files
    const { path, size } = readHeader(block)
    const end = at + BLOCK + size
    if (end > tar.length) throw new Error('the archive ends within an entry')
    if (files.has(path)) throw new Error('the archive has a path twice')
    files.set(path, tar.subarray(at + BLOCK, end))
    at = end + padding(size)
  }
}

const readHeader = (block: Buffer): { readonly path: string; readonly size: number } => {
  const field = (from: number, to: number): string => {
    const text = block.toString('utf8', from, to)
    const end = text.indexOf('\0')
    return (end < 0 ? text : text.slice(0, end)).trim()
  }
  const size = field(124, 136)
  const plain = block[156] === 0x30 || block[156] === 0
  if (!plain || field(345, 500) !== '' || !/^[0-7]{1,11}$/.test(size)) {
    throw new Error('the archive has an entry that is not a plain file with a short path')
  }
  if (Number.parseInt(field(148, 156), 8) !== checksum(block)) {
    throw new Error('the archive has an entry with a wrong checksum')
  }
  return { path: field(0, 100).replace(/^\/+/, ''), size: Number.parseInt(size, 8) }
}

/** Of all bytes, as if the checksum itself were blanks. */
const checksum = (block: Buffer): number =>
  block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0)

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK

const header = (path: string, size: number): Buffer => {
  if (Buffer.byteLength(path) > 99) throw new Error('the path is too long for the archive')
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
  block.write(path, 0)
  block.write(octal(0o644, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(size, 11), 124)
  block.write(octal(0, 11), 136)
  block.write('0', 156)
  block.write('ustar\u000000', 257, 'latin1')
  block.write(`${octal(checksum(block), 6)}\u0000 `, 148, 'latin1')
  return block
}
