import { node, type Node } from '../scan/read.ts'
import { ask } from './ask.ts'
import { rowOf } from './rows.ts'
import { readPages, type Collection, type Page, type StoreOptions } from './store.ts'

const PAGE = 500

/** Reads a collection of Qdrant page by page: texts and labels from the payload. `--embedding` names the vector where points have several. */
export const readQdrant = (options: StoreOptions): Promise<Collection> => {
  const { url, key, collection } = options
  const path = ['collections', collection, 'points', 'scroll']
  return readPages(options, async (from) => {
    const body = { limit: PAGE, with_payload: true, with_vector: true, ...(from !== 0 && { offset: from }) }
    const result = node(await ask({ url, key, header: 'api-key', path, body })).at('result')
    if (!Array.isArray(result.at('points').value))
      throw new Error(`${collection}: the store tells no points; is this Qdrant?`)
    const records = result
      .at('points')
      .list()
      .map((point) => recordOf(point, options))
    return { records, next: result.at('next_page_offset').value ?? undefined }
  })
}

const recordOf = (point: Node, { collection, fields }: StoreOptions): Page['records'][number] => {
  const id = String(point.at('id').value)
  const at = `${collection} ${JSON.stringify(id)}`
  const payload = point.at('payload')
  const value = {
    [fields.label]: payload.at(fields.label).value,
    ...Object.fromEntries(fields.text.map((name) => [name, payload.at(name).value ?? null])),
    [fields.embedding]: vectorOf(point.at('vector'), { at, name: fields.embedding }),
  }
  return { id, row: rowOf(value, { at, line: 0, fields }) }
}

const vectorOf = (vector: Node, { at, name }: { readonly at: string; readonly name: string }): unknown => {
  const named = vector.entries().map(([each]) => each)
  if (named.length === 0) return Array.isArray(vector.value) ? vector.value : undefined
  if (!named.includes(name))
    throw new Error(`${at}: has the vectors ${named.slice(0, 8).join(', ')}; name one with --embedding`)
  return vector.at(name).value
}
