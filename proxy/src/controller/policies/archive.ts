import { gzipSync } from 'node:zlib'

const BLOCK = 512

/** Files by path, in the order given, as a gzipped tar (POSIX ustar) with a `/` before each path, as OPA has it. Equal files give equal bytes: no times, no owners. Throws Error for a path above 98 bytes. */
export const packTarGz = (files: ReadonlyMap<string, Uint8Array>): Uint8Array => {
  const blocks: Uint8Array[] = []
  for (const [path, bytes] of files) {
    blocks.push(header(`/${path}`, bytes.length), bytes, Buffer.alloc(padding(bytes.length)))
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 9 })
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
