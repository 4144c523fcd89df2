import {
  parquetMetadata,
  parquetSchema,
  type ColumnMetaData,
  type FileMetaData,
  type SchemaTree,
} from 'hyparquet'
import type { FileHandle } from 'node:fs/promises'
import { MAX_NUMBERS, MAX_ROWS, MAX_UNPACKED } from './bounds.ts'

/** What the footer of a Parquet file says, as far as it was found to be possible. */
export interface Footer {
  readonly metadata: FileMetaData
  /** Of the file, in bytes. */
  readonly size: number
  readonly columns: readonly SchemaTree[]
}

const MAX_FOOTER = 32 << 20 // bytes; half a megabyte for a hundred columns in a hundred row groups
const MAGIC = 'PAR1'
const ENCRYPTED = 'PARE'
const READ = new Set(['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'])

/**
 * Reads the footer: names and types of columns, where each piece of a column lies. Throws an Error for what is no Parquet, for an
 * encrypted file, for one that is cut off, and for more than 200,000 records. Source: https://parquet.apache.org/docs/file-format/.
 */
export const readFooter = async (handle: FileHandle): Promise<Footer> => {
  const about = await handle.stat()
  if (!about.isFile()) throw new Error('is no file')
  const tail = await bytesAt(handle, about.size - 8, 8)
  const magic = tail.subarray(4).toString('latin1')
  if (magic === ENCRYPTED) throw new Error('has an encrypted footer; write it without encryption')
  if (magic !== MAGIC)
    throw new Error('does not end like a Parquet file; it is another format, or cut off: get it anew')
  const length = tail.readUInt32LE(0)
  if (length > about.size - 12)
    throw new Error(`has a footer of ${length} bytes in ${about.size}; ${DAMAGED}`)
  if (length > MAX_FOOTER)
    throw new Error(`has a footer of ${length} bytes, where ${MAX_FOOTER} are read; write fewer row groups`)
  const footer = await bytesAt(handle, about.size - 8 - length, length + 8)
  const metadata = parsed(footer)
  const rows = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0)
  if (metadata.row_groups.some(({ num_rows: n }) => n < 0n) || rows !== Number(metadata.num_rows))
    throw new Error(`says ${metadata.num_rows} records, and ${rows} in its row groups; ${DAMAGED}`)
  if (rows > MAX_ROWS)
    throw new Error(
      `has ${rows} records, where ${MAX_ROWS} are checked at once; check it in parts: datasets.load_dataset('parquet', data_files='all.parquet', split='train[:${MAX_ROWS}]').to_parquet('part.parquet')`,
    )
  return { metadata, size: about.size, columns: parquetSchema(metadata).children }
}

export const DAMAGED = 'it is damaged, so get it anew'

/** Throws an Error when the file ends first. */
export const bytesAt = async (handle: FileHandle, from: number, length: number): Promise<Buffer> => {
  const { size } = await handle.stat()
  if (from < 0 || length < 0 || !(from + length <= size)) throw new Error(`ends too early; ${DAMAGED}`)
  const buffer = Buffer.from(new ArrayBuffer(length)) // never of the pool, whose other bytes a length that lies would reach
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(buffer, at, length - at, from + at)
    if (bytesRead === 0) throw new Error(`ends too early; ${DAMAGED}`)
    at += bytesRead
  }
  return buffer
}

const parsed = (footer: Buffer): FileMetaData => {
  try {
    return parquetMetadata(footer, { geoparquet: false })
  } catch (cause) {
    throw new Error(`has a footer that cannot be read; ${DAMAGED}`, { cause })
  }
}

/** One piece of a column that is to be read. */
export interface Chunk {
  readonly meta: ColumnMetaData
  readonly from: number
  readonly bytes: number
}

/**
 * The pieces of these columns, by row group. Throws an Error for a codec that is not read, a piece that is not in the file, one that is
 * there twice, pieces that overlap in sum, and more than 50 million numbers or 2 GiB unpacked in all.
 */
export const chunksOf = (
  { metadata, size }: Footer,
  wanted: readonly SchemaTree[],
): readonly (readonly Chunk[])[] => {
  const names = new Set(wanted.map(({ element }) => element.name))
  const leaves = new Set(wanted.flatMap(leavesOf))
  const all = metadata.row_groups.map(({ columns }) =>
    columns.flatMap(({ file_path: elsewhere, meta_data: meta }) => {
      if (elsewhere !== undefined) throw new Error(`keeps ${elsewhere ? 'columns in other files' : DAMAGED}`)
      if (meta === undefined) throw new Error('has encrypted columns; write it without encryption')
      return names.has(meta.path_in_schema[0] ?? '') ? [chunkOf(meta, size)] : []
    }),
  )
  for (const chunks of all) {
    const paths = new Set(chunks.map(({ meta }) => meta.path_in_schema.join('.')))
    if (paths.size !== chunks.length || paths.size !== leaves.size || !paths.isSubsetOf(leaves))
      throw new Error(`has a column twice or not at all; ${DAMAGED}`)
  }
  const sum = (of: (chunk: Chunk) => number): number => all.flat().reduce((a, chunk) => a + of(chunk), 0)
  if (sum(({ bytes }) => bytes) > size) throw new Error(`has columns that overlap; ${DAMAGED}`)
  const values = sum(({ meta }) => Number(meta.num_values))
  if (values > MAX_NUMBERS + leaves.size * MAX_ROWS)
    throw new Error(
      `has ${values} values in what is read, where ${MAX_NUMBERS} are checked; check it in parts`,
    )
  const unpacked = sum(({ meta }) => Number(meta.total_uncompressed_size))
  if (unpacked > MAX_UNPACKED)
    throw new Error(`unpacks to ${unpacked} bytes, where ${MAX_UNPACKED} are read; check it in parts`)
  return all
}

const leavesOf = ({ children, path }: SchemaTree): readonly string[] =>
  children.length === 0 ? [path.join('.')] : children.flatMap(leavesOf)

const chunkOf = (meta: ColumnMetaData, size: number): Chunk => {
  // Undefined, whatever its type says, for a number that hyparquet does not know.
  if (!READ.has(meta.codec))
    throw new Error(
      `is compressed with ${[meta.codec].join('') || 'an unknown codec'}, where ${[...READ].join(', ').toLowerCase()} are read; write it again: table.to_parquet('out.parquet', compression='zstd')`,
    )
  const from = Number(meta.dictionary_page_offset || meta.data_page_offset)
  const bytes = Number(meta.total_compressed_size)
  const counts = [bytes, Number(meta.num_values), Number(meta.total_uncompressed_size)]
  if (!(from >= MAGIC.length) || !counts.every((each) => each >= 0) || from + bytes > size)
    throw new Error(`has a column outside of the file; ${DAMAGED}`)
  return { meta, from, bytes }
}
