import { gunzipSync } from 'node:zlib'

/** Bytes after unpacking. */
const MAX_BYTES = 64 * 1024 * 1024
const MAX_ENTRIES = 4096
const BLOCK = 512

/**
 * The files of a gzipped tar archive by path, without leading `/` or `./`. Never writes anything anywhere.
 * Throws Error for an archive that is broken, above 64 MiB or 4096 entries, has a path twice, or anything but plain files and folders.
 */
export const readTarGz = (archive: Uint8Array): ReadonlyMap<string, Uint8Array> => {
  const tar = gunzipSync(archive, { maxOutputLength: MAX_BYTES })
  const files = new Map<string, Uint8Array>()
  let offset = 0
  for (let entries = 0; ; entries++) {
    const header = tar.subarray(offset, offset + BLOCK)
    if (header.length < BLOCK) throw new Error('archive ends within an entry')
    if (header.every((byte) => byte === 0)) return files
    if (entries >= MAX_ENTRIES) throw new Error(`archive has more than ${MAX_ENTRIES} entries`)
    const { path, size, kind } = readHeader(header)
    const end = offset + BLOCK + size
    if (end > tar.length) throw new Error('archive ends within an entry')
    if (kind === 'file') {
      if (files.has(path)) throw new Error('archive has a path twice')
      files.set(path, tar.subarray(offset + BLOCK, end))
    }
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
}

interface Header {
  readonly path: string
  readonly size: number
  readonly kind: 'file' | 'folder'
}

/** POSIX.1-1988 header with the ustar prefix. */
const readHeader = (header: Uint8Array): Header => {
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0)
  if (octal(header.subarray(148, 156)) !== sum) throw new Error('archive has an entry with a wrong checksum')
  const name = text(header.subarray(0, 100))
  const prefix = text(header.subarray(257, 262)) === 'ustar' ? text(header.subarray(345, 500)) : ''
  const path = (prefix === '' ? name : `${prefix}/${name}`).replace(/^(?:\.?\/)+/, '')
  return { path, size: octal(header.subarray(124, 136)), kind: kindOf(header[156]) }
}

const kindOf = (flag: number | undefined): Header['kind'] => {
  switch (flag) {
    case 0x00:
    case 0x30:
      return 'file'
    case 0x35:
      return 'folder'
    default:
      throw new Error('archive has an entry that is neither a plain file nor a folder')
  }
}

const text = (field: Uint8Array): string => {
  const end = field.indexOf(0)
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
}

const octal = (field: Uint8Array): number => {
  const digits = text(field).trim()
  if (!/^[0-7]{1,11}$/.test(digits)) throw new Error('archive has a number that is not octal')
  return Number.parseInt(digits, 8)
}
