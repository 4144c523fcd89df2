import type { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { fromFdPromise, type Entry, type ZipFile } from 'yauzl'
import { CUT_OFF, matrixOf, withFile, type Bytes } from './npy.ts'

const MAX_ENTRIES = 1000
const SHOWN = 20

/**
 * Reads one array of the archive that NumPy wrote with `numpy.savez` or `numpy.savez_compressed`; `array` may be left out where there is only
 * one. It is unpacked through one buffer, and only what the header of the array takes. Throws an Error that begins with the file, as `readNpy`
 * does, and for encrypted and unknown packing, and for a checksum that differs.
 */
export const readNpz = (file: string, array: string | undefined): Promise<readonly Float64Array[]> =>
  withFile(file, async (handle) => {
    const options = { autoClose: false, strictFileNames: true, validateEntrySizes: true }
    const archive = await fromFdPromise(handle.fd, options).catch(notUnpacked)
    const entry = chosen(await entriesOf(archive), array)
    const stream = await archive.openReadStreamPromise(entry).catch(notUnpacked)
    try {
      const { bytes, end } = bytesOf(stream, entry)
      const matrix = await matrixOf(bytes)
      await end()
      return matrix
    } finally {
      stream.destroy()
    }
  })

const notUnpacked = (cause: unknown): never => {
  throw new Error('cannot be unpacked; it is damaged or no archive, so get it anew', { cause })
}

const entriesOf = async (archive: ZipFile): Promise<ReadonlyMap<string, Entry>> => {
  const entries = new Map<string, Entry>()
  if (archive.entryCount > MAX_ENTRIES)
    throw new Error(`has ${archive.entryCount} entries, where ${MAX_ENTRIES} are looked at`)
  try {
    for await (const entry of archive.eachEntry()) {
      const name = /^(.+)\.npy$/s.exec(entry.fileName)?.[1]
      if (name === undefined) continue
      if (entries.has(name)) throw new Error('a name is there twice')
      entries.set(name, entry)
    }
  } catch (cause) {
    notUnpacked(cause)
  }
  return entries
}

const chosen = (entries: ReadonlyMap<string, Entry>, array: string | undefined): Entry => {
  const names = [...entries.keys()]
    .slice(0, SHOWN)
    .map((name) => (/^[\w. -]{1,64}$/.test(name) ? name : 'one of another name'))
  if (names.length === 0) throw new Error('has no arrays; write it with numpy.savez')
  const entry = array === undefined ? [...entries.values()][0] : entries.get(array)
  if (entry === undefined || (array === undefined && entries.size > 1))
    throw new Error(`has the arrays ${names.join(', ')}; name the one with the vectors with --array`)
  if (entry.isEncrypted() || !entry.canDecodeFileData())
    throw new Error('is encrypted, or packed in a way that NumPy does not; write it with numpy.savez')
  return entry
}

/** `end` throws an Error when there is more, or the checksum differs. */
const bytesOf = (
  stream: Readable,
  entry: Entry,
): { readonly bytes: Bytes; readonly end: () => Promise<void> } => {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let rest: Buffer = Buffer.alloc(0)
  let sum = 0
  const more = async (): Promise<boolean> => {
    const next = await chunks.next().catch(notUnpacked)
    if (next.done === true) return false
    rest = next.value
    sum = crc32(rest, sum)
    return true
  }
  const fill = async (buffer: Buffer): Promise<void> => {
    for (let at = 0; at < buffer.length;) {
      if (rest.length === 0 && !(await more())) throw new Error(CUT_OFF)
      const count = rest.copy(buffer, at)
      rest = rest.subarray(count)
      at += count
    }
  }
  const end = async (): Promise<void> => {
    if (rest.length > 0 || (await more())) throw new Error('has something behind its numbers; get it anew')
    if (sum !== entry.crc32)
      throw new Error('has another checksum than its archive says; it is damaged, so get it anew')
  }
  return { bytes: { size: entry.uncompressedSize, fill }, end }
}
