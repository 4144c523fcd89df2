import { parquetReadObjects, snappyUncompress, type AsyncBuffer, type SchemaTree } from 'hyparquet'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { MAX_CHARACTERS, MAX_RECORD, MAX_UNPACKED } from './bounds.ts'
import { bytesAt, chunksOf, DAMAGED, readFooter, type Chunk, type Footer } from './parquet-footer.ts'
import { checkPages } from './parquet-pages.ts'
import { labelNames, labelOf, vectorOf, type LabelNames } from './parquet-values.ts'
import { rowOf, type Fields, type Row } from './rows.ts'

export interface Asked {
  readonly file: string
  readonly fields: Fields
}

/** What the process says: rows until there are no more, or why not. */
export type Said = { readonly rows: readonly Row[] } | { readonly done: true } | { readonly error: string }

const BATCH = 1000 // records in one message

/** Row group after row group, so that no more than one of them is in memory. */
async function* read({ file, fields }: Asked): AsyncGenerator<readonly Row[]> {
  // Not held up by a pipe that nobody writes to.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  const footer = await readFooter(handle)
  const columns = columnsOf(footer, fields)
  const names = labelNames(footer.metadata, fields.label)
  const total = totals()
  let line = 1
  for (const [group, chunks] of chunksOf(footer, columns).entries()) {
    await checkGroup(handle, chunks, total)
    const rowEnd = line - 1 + Number(footer.metadata.row_groups[group]?.num_rows)
    const objects = await decoded({ handle, footer, columns }, { group, rowStart: line - 1, rowEnd })
    for (let from = 0; from < objects.length; from += BATCH) {
      const rows = objects
        .slice(from, from + BATCH)
        .map((object) => toRow(object, { line: line++, fields, names }))
      total.characters(rows.reduce((sum, { text }) => sum + text.length, 0))
      yield rows
    }
  }
}

const totals = () => {
  const upTo = (most: number, what: string) => {
    let sum = 0
    return (count: number): void => {
      sum += count
      if (sum > most) throw new Error(`has more than ${most} ${what}; check it in parts`)
    }
  }
  return {
    unpacked: upTo(MAX_UNPACKED, 'bytes of what is read, unpacked'),
    characters: upTo(MAX_CHARACTERS, 'characters in its texts'),
  }
}

/** A missing column is an error where it was named, not where only its default name is not there. */
const columnsOf = ({ columns }: Footer, { text, label, embedding }: Fields): readonly SchemaTree[] => {
  const named = (name: string): SchemaTree | undefined => columns.find(({ element }) => element.name === name)
  const optional = named(embedding) === undefined ? ['label', 'embedding'] : ['label', 'text']
  const wanted = [...new Set([...text, label, embedding])].flatMap((name) => {
    const column = named(name)
    if (column === undefined && !optional.includes(name))
      throw new Error(
        `has no column ${name}; it has ${columns
          .slice(0, 20)
          .map(({ element }) => element.name)
          .join(', ')}; name one with --text, --label or --embedding`,
      )
    return column === undefined ? [] : [column]
  })
  return wanted
}

const checkGroup = async (
  handle: FileHandle,
  chunks: readonly Chunk[],
  total: ReturnType<typeof totals>,
): Promise<void> => {
  for (const chunk of chunks)
    total.unpacked(checkPages(await bytesAt(handle, chunk.from, chunk.bytes), chunk))
}

interface Opened {
  readonly handle: FileHandle
  readonly footer: Footer
  readonly columns: readonly SchemaTree[]
}

interface Place {
  readonly group: number
  readonly rowStart: number
  readonly rowEnd: number
}

const decoded = async (
  { handle, footer, columns }: Opened,
  { group, ...rows }: Place,
): Promise<readonly Record<string, unknown>[]> => {
  const file: AsyncBuffer = {
    byteLength: footer.size,
    slice: async (from, to = footer.size) => (await bytesAt(handle, from, to - from)).buffer as ArrayBuffer,
  }
  const { metadata } = footer
  try {
    return await parquetReadObjects({
      ...{ file, metadata, ...rows, columns: columns.map(({ element }) => element.name) },
      compressors: {
        SNAPPY: (input, size) => {
          const output = new Uint8Array(size)
          snappyUncompress(input, output)
          return output
        },
        GZIP: (input, size) => gunzipSync(input, { maxOutputLength: Math.max(1, size) }),
        BROTLI: (input, size) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
        ZSTD: (input, size) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
      },
      parsers: { stringFromBytes, jsonFromBytes: stringFromBytes },
      geoparquet: false,
    })
  } catch (cause) {
    throw new Error(`row group ${group} (the first is 0) cannot be decoded; ${DAMAGED}`, { cause })
  }
}

/** Keeps a byte order mark, which may hide something. */
const stringFromBytes = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()

const toRow = (
  object: Readonly<Record<string, unknown>>,
  { line, fields, names }: { readonly line: number; readonly fields: Fields; readonly names: LabelNames },
): Row => {
  const at = `row ${line - 1}`
  const value: Record<string, unknown> = {
    ...object,
    [fields.label]: labelOf(object[fields.label] ?? null, names),
    [fields.embedding]: vectorOf(object[fields.embedding]),
  }
  if (Object.hasOwn(object, fields.embedding))
    for (const name of fields.text) if (!Object.hasOwn(object, name)) value[name] = null
  const row = rowOf(value, { at, line, fields })
  if (row.text.length > MAX_RECORD) throw new Error(`${at}: has a text longer than ${MAX_RECORD} characters`)
  return row
}

const isAsked = (value: unknown): value is Asked =>
  typeof value === 'object' && value !== null && 'file' in value && 'fields' in value

const say = (said: Said): Promise<void> =>
  new Promise((done) => {
    if (process.send?.(said, undefined, {}, () => done()) === undefined) done()
  })

if (import.meta.main)
  process.once('message', (asked: unknown) => {
    const work = async (): Promise<Said> => {
      if (!isAsked(asked)) return { error: 'was not asked anything' }
      for await (const rows of read(asked)) await say({ rows })
      return { done: true }
    }
    void work()
      .catch((error: unknown): Said => ({ error: messageOf(error) }))
      .then(say)
      .then(() => process.disconnect())
  })

const messageOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code === undefined ? message : `cannot be read (${code})`
}
