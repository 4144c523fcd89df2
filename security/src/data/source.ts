import { readChroma } from './chroma.ts'
import { readCsv } from './csv.ts'
import { readJsonLines } from './jsonl.ts'
import { readNpy } from './npy.ts'
import { readNpz } from './npz.ts'
import { readParquet } from './parquet.ts'
import { readQdrant } from './qdrant.ts'
import type { Fields, Row } from './rows.ts'

interface Records {
  readonly rows: readonly Row[]
  /** How findings name the rows of what has no lines. */
  readonly ids?: readonly string[]
}

/** Where records come from. */
export interface Source {
  readonly name: string
  readonly read: () => Promise<Records>
}

export interface Named extends Fields {
  /** A matrix whose rows are the vectors of the one file's records. */
  readonly vectors?: string | undefined
  /** Which one of an archive of matrices. */
  readonly array?: string | undefined
  readonly chroma?: string | undefined
  readonly qdrant?: string | undefined
  readonly collection?: string | undefined
  readonly tenant: string
  readonly database: string
  readonly 'key-env'?: string | undefined
  readonly limit: string
}

/** Files, or one store. Throws an Error for a mixture, an address that is none, and a key that is not there. */
export const open = (files: readonly string[], named: Named): readonly Source[] => {
  const { text, label, embedding, chroma, qdrant } = named
  const fields = { text, label, embedding }
  if (chroma === undefined && qdrant === undefined) {
    const read = (file: string): Promise<Records> => readFile(file, fields, named.array)
    if (named.array !== undefined && ![...files, named.vectors ?? ''].some(isArchive))
      throw new Error('--array names one of the arrays of a .npz, and none is given')
    if (named.vectors !== undefined) return [joined(files, named.vectors, read)]
    return files.map((file) => ({ name: file, read: () => read(file) }))
  }
  if (files.length > 0 || named.vectors !== undefined || (chroma !== undefined && qdrant !== undefined))
    throw new Error('name files, or one store with --chroma or --qdrant, not both')
  const { collection, tenant, database } = named
  if (!collection) throw new Error('name what to read with --collection')
  const options = {
    url: addressOf(chroma ?? qdrant ?? ''),
    ...{ collection, tenant, database, fields },
    key: keyOf(named['key-env']),
    limit: limitOf(named.limit),
  }
  return [
    { name: collection, read: () => (chroma === undefined ? readQdrant(options) : readChroma(options)) },
  ]
}

const readFile = async (file: string, fields: Fields, array: string | undefined): Promise<Records> => {
  if (isMatrix(file)) return matrixAlone(await readMatrix(file, array))
  if (!/\.parquet$/i.test(file))
    return { rows: await (/\.csv$/i.test(file) ? readCsv : readJsonLines)(file, fields) }
  const rows = await readParquet(file, fields)
  return { rows, ids: rows.map((_, at) => `row ${at}`) }
}

const readMatrix = (file: string, array: string | undefined): Promise<readonly Float64Array[]> =>
  isArchive(file) ? readNpz(file, array) : readNpy(file)

/** Rows are named as NumPy counts them, from 0. */
const matrixAlone = (matrix: readonly Float64Array[]): Records => ({
  rows: matrix.map((embedding, at) => ({ line: at + 1, text: '', label: '', embedding })),
  ids: matrix.map((_, at) => `row ${at}`),
})

const joined = (
  files: readonly string[],
  matrix: string,
  readFile: (file: string) => Promise<Records>,
): Source => {
  const [file = ''] = files
  if (files.length !== 1 || isMatrix(file) || !isMatrix(matrix))
    throw new Error(
      '--vectors takes a .npy or .npz beside the one FILE that has its texts: texts.jsonl --vectors matrix.npy',
    )
  const read = async (): Promise<Records> => {
    const { rows, ...named } = await readFile(file)
    const { rows: vectors } = await readFile(matrix)
    if (rows.length !== vectors.length)
      throw new Error(
        `${matrix}: has ${vectors.length} rows where ${file} has ${rows.length} records; they go together by their place, so both must be of one export`,
      )
    return {
      ...named,
      rows: rows.map((row, at) => ({ ...row, embedding: onlyOne(row, vectors[at]?.embedding) })),
    }
  }
  return { name: file, read }
}

const isMatrix = (file: string): boolean => /\.np[yz]$/i.test(file)
const isArchive = (file: string): boolean => /\.npz$/i.test(file)

const onlyOne = (row: Row, vector: Row['embedding']): Row['embedding'] => {
  if (row.embedding !== undefined)
    throw new Error(
      `record ${row.line} has a vector of its own; leave --vectors out, or give --embedding a name that no record has`,
    )
  return vector
}

const addressOf = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Error(
      'an address of a store begins with http: or https: and has no password in it; use --key-env',
    )
  return url
}

const keyOf = (name: string | undefined): string | undefined => {
  if (name === undefined) return undefined
  const key = process.env[name]
  if (!key) throw new Error(`there is no key in the variable ${name}`)
  return key
}

const limitOf = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 200_000)
    throw new Error('--limit takes a whole number from 1 to 200000')
  return limit
}
