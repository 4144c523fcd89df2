import { collector, type Fields, type Row } from './rows.ts'

/** A collection of an embedding store. It is only read. */
export interface StoreOptions {
  /** `http:` or `https:`; a path before the API's own is kept. */
  readonly url: URL
  readonly collection: string
  /** Sent in the store's own header, over TLS or to this machine only. */
  readonly key: string | undefined
  readonly fields: Fields
  /** How many records are read. */
  readonly limit: number
}

export interface Collection {
  readonly rows: readonly Row[]
  /** Ids by row, as the store has them. */
  readonly ids: readonly string[]
}

/** One page of a collection. */
export interface Page {
  readonly records: readonly { readonly id: string; readonly row: Omit<Row, 'line'> }[]
  /** How the next one is asked for; undefined after the last. */
  readonly next: unknown
}

/**
 * Reads pages until there are no more or the limit is reached. Throws an Error when a page repeats an id: a server that pages wrongly would
 * be read for ever.
 */
export const readPages = async (
  { collection, limit }: StoreOptions,
  page: (from: unknown) => Promise<Page>,
): Promise<Collection> => {
  const all = collector(collection)
  const ids = new Set<string>()
  for (let from: unknown = 0; from !== undefined;) {
    const { records, next } = await page(from)
    for (const { id, row } of records) {
      if (ids.size >= limit) return { rows: all.rows, ids: [...ids] }
      if (ids.has(id)) throw new Error(`${collection}: the store gave the record ${JSON.stringify(id)} twice`)
      ids.add(id)
      all.add({ ...row, line: ids.size })
    }
    if (records.length === 0) break
    from = next
  }
  return { rows: all.rows, ids: [...ids] }
}
