import type { DataPageHeader, DataReader, DictionaryPageHeader, Encoding, PageHeader } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { crc32 } from 'node:zlib'
import { DAMAGED, type Chunk } from './parquet-footer.ts'

const MAX_PAGE = 256 << 20 // bytes unpacked; DuckDB writes up to 100 MB, all others about one
/** DELTA_BYTE_ARRAY is left out: each value repeats a part of the one before it, so a kilobyte may stand for a terabyte. */
const READ = new Set([
  'PLAIN',
  'PLAIN_DICTIONARY',
  'RLE_DICTIONARY',
  'RLE',
  'BYTE_STREAM_SPLIT',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
])

/**
 * Follows the headers of all pages, before anything is set aside for what they claim: hyparquet takes their numbers as they are. Returns how
 * many bytes they unpack to. Throws an Error when they hold more or fewer values than the footer says, when a checksum differs, and for
 * encodings that are not read.
 */
export const checkPages = (bytes: Buffer, { meta }: Chunk): number => {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 }
  let values = Number(meta.num_values)
  let all = 0
  // hyparquet lets one byte of padding be, too.
  while (reader.offset < bytes.length - 1) {
    const header = headerAt(reader)
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header
    check(isCount(packed, bytes.length - reader.offset), 'a page is longer than its column')
    check(isCount(unpacked, MAX_PAGE), `a page unpacks to more than ${MAX_PAGE} bytes`)
    all += unpacked
    values -= valuesOf(header, values)
    const page = bytes.subarray(reader.offset, reader.offset + packed)
    check(header.crc === undefined || (crc32(page) | 0) === header.crc, 'the checksum of a page differs')
    reader.offset += packed
  }
  check(values === 0, 'its pages hold fewer values than its footer says')
  return all
}

const headerAt = (reader: DataReader): PageHeader => {
  try {
    return parquetHeader(reader)
  } catch (cause) {
    throw new Error(`the header of a page cannot be read; ${DAMAGED}`, { cause })
  }
}

/** The types of hyparquet promise more than its parser keeps: any member may be missing. */
type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined }

const valuesOf = (header: PageHeader, most: number): number => {
  const v1: Loose<DataPageHeader> | undefined = header.data_page_header
  const v2: Loose<NonNullable<PageHeader['data_page_header_v2']>> | undefined = header.data_page_header_v2
  const dictionary: Loose<DictionaryPageHeader> | undefined = header.dictionary_page_header
  if (header.type === 'DICTIONARY_PAGE') {
    checkEncoding(dictionary?.encoding)
    check(isCount(dictionary?.num_values, header.uncompressed_page_size * 8), 'a dictionary is too short')
    return 0
  }
  const values = header.type === 'DATA_PAGE' ? v1?.num_values : v2?.num_values
  check(isCount(values, most), 'its pages hold more values than its footer says')
  if (header.type === 'DATA_PAGE') {
    checkEncoding(v1?.encoding)
    return values
  }
  checkEncoding(v2?.encoding)
  const levels = [v2?.definition_levels_byte_length, v2?.repetition_levels_byte_length]
  check(
    levels.every((each) => isCount(each, header.compressed_page_size)) &&
      [v2?.num_nulls, v2?.num_rows].every((each) => isCount(each, values)),
    'a page contradicts itself',
  )
  return values
}

const checkEncoding = (encoding: Encoding | undefined): void => {
  check(encoding !== undefined && READ.has(encoding), `a page is encoded as ${encoding ?? 'nothing known'}`)
}

const isCount = (value: number | undefined, most: number): value is number =>
  Number.isInteger(value) && value !== undefined && value >= 0 && value <= most

const check: (holds: boolean, what: string) => asserts holds = (holds, what) => {
  if (!holds) throw new Error(`${what}; it is damaged, or written in a way that is not read`)
}
