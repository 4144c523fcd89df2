import { readChroma } from './chroma.ts'
import { readCsv } from './csv.ts'
import { readJsonLines } from './jsonl.ts'
import { readQdrant } from './qdrant.ts'
import type { Fields, Row } from './rows.ts'

/** Where records come from. */
export interface Source {
  readonly name: string
  readonly read: () => Promise<{ readonly rows: readonly Row[]; readonly ids?: readonly string[] }>
}

export interface Named extends Fields {
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
  if (chroma === undefined && qdrant === undefined)
    return files.map((file) => ({
      name: file,
      read: async () => ({ rows: await (file.endsWith('.csv') ? readCsv : readJsonLines)(file, fields) }),
    }))
  if (files.length > 0 || (chroma !== undefined && qdrant !== undefined))
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
