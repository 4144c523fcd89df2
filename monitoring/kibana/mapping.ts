import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Schema {
  readonly type?: string
  readonly pattern?: string
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: boolean | Schema
}

export type Field = Readonly<Record<string, unknown>>

const SCHEMA = join(import.meta.dirname, '../../proxy/audit.schema.json')

/** What fluentd-config.yaml adds to every document. */
const ADDED: Readonly<Record<string, Field>> = {
  '@timestamp': { type: 'date' },
  app: { type: 'keyword' },
  dataset: { type: 'keyword' },
  namespace: { type: 'keyword' },
  pod: { type: 'keyword' },
  container: { type: 'keyword' },
  node: { type: 'keyword' },
  record_id: { type: 'keyword' },
}

// Longer strings are kept in the document and not indexed; Lucene refuses terms above 32,766 bytes, and with them the document.
const KEYWORD: Field = { type: 'keyword', ignore_above: 1024 }
const TIME = String.raw`^\d{4}-\d\d-\d\dT`

/** Fields of all kinds of lines in the audit log, from the JSON Schema that the guard publishes, by dotted path. */
export const auditFields = (): ReadonlyMap<string, Field> => {
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as Schema
  const fields = new Map(Object.entries(ADDED))
  const walk = (path: string, of: Schema): void => {
    for (const one of of.anyOf ?? []) walk(path, one)
    if (of.type === 'array' && of.items) walk(path, of.items)
    else if (of.properties) {
      for (const [name, member] of Object.entries(of.properties))
        walk(path === '' ? name : `${path}.${name}`, member)
    } else if (typeof of.additionalProperties === 'object')
      fields.set(`${path}.*`, leaf(of.additionalProperties))
    else if (of.type !== undefined && of.type !== 'null') fields.set(path, leaf(of))
  }
  walk('', schema)
  return fields
}

const leaf = ({ type, pattern }: Schema): Field => {
  switch (type) {
    case 'integer':
      return { type: 'long' }
    case 'number':
      return { type: 'double' }
    case 'boolean':
      return { type: 'boolean' }
    default:
      return pattern?.startsWith(TIME) ? { type: 'date' } : KEYWORD
  }
}

/** The guard's own log: what every line has. Other members stay in the document and are not indexed, for anybody may add one. */
export const logFields = (): ReadonlyMap<string, Field> =>
  new Map<string, Field>([
    ...Object.entries(ADDED),
    ['time', { type: 'date' }],
    ['level', KEYWORD],
    ['event', KEYWORD],
    ['id', KEYWORD],
    ['trace', KEYWORD],
    ['cause.name', KEYWORD],
    ['cause.code', KEYWORD],
    ['line', { type: 'text' }],
  ])
