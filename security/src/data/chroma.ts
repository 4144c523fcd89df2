import { node, type Node } from '../scan/read.ts'
import { ask } from './ask.ts'
import { rowOf } from './rows.ts'
import { readPages, type Collection, type Page, type StoreOptions } from './store.ts'

const PAGE = 300 // what Chroma Cloud gives at most

export interface ChromaOptions extends StoreOptions {
  readonly tenant: string
  readonly database: string
}

/** Reads a collection of Chroma over its API v2: documents as texts, labels from the metadata. */
export const readChroma = async (options: ChromaOptions): Promise<Collection> => {
  const { url, key, collection, tenant, database } = options
  const base = ['api', 'v2', 'tenants', tenant, 'databases', database, 'collections']
  const about = await ask({ url, key, header: 'x-chroma-token', path: [...base, collection] })
  const id = node(about).at('id').text()
  if (id === undefined) throw new Error(`${collection}: the store tells no id; is this Chroma with API v2?`)
  const page = async (from: unknown): Promise<Page> => {
    const offset = Number(from)
    const body = { limit: PAGE, offset, include: ['documents', 'embeddings', 'metadatas'] }
    const answer = node(await ask({ url, key, header: 'x-chroma-token', path: [...base, id, 'get'], body }))
    const records = recordsOf(answer, options)
    return { records, next: records.length < PAGE ? undefined : offset + records.length }
  }
  return readPages(options, page)
}

const recordsOf = (answer: Node, { collection, fields }: ChromaOptions): Page['records'] => {
  const [documents, embeddings, metadatas] = ['documents', 'embeddings', 'metadatas'].map((name) =>
    answer.at(name).list(),
  )
  return answer
    .at('ids')
    .list()
    .map((each, i) => {
      const id = each.text() ?? ''
      const metadata = Object.fromEntries(
        metadatas?.[i]?.entries().map(([name, { value }]) => [name, value]) ?? [],
      )
      const value = {
        [fields.label]: metadata[fields.label],
        [fields.text[0] ?? '']: documents?.[i]?.text() ?? '',
        [fields.embedding]: embeddings?.[i]?.value ?? undefined,
      }
      return { id, row: rowOf(value, { at: `${collection} ${JSON.stringify(id)}`, line: 0, fields }) }
    })
}
