import { auditFields, logFields, type Field } from './mapping.ts'

/** Requests to Elasticsearch: path below its address, and body. */
export const elasticsearchRequests = (): ReadonlyMap<string, object> =>
  new Map([
    ['_ilm/policy/postern-audit', lifecycle('365d')],
    ['_ilm/policy/postern-log', lifecycle('30d')],
    ['_index_template/postern-audit', template('postern-audit', auditFields())],
    ['_index_template/postern-log', template('postern-log', logFields())],
  ])

/** A new index each day or 25 GB, deleted after `keep`. The EU AI Act wants logs for at least six months (articles 19 and 26). */
const lifecycle = (keep: string): object => ({
  policy: {
    _meta: { managed_by: 'postern' },
    phases: {
      hot: {
        actions: {
          rollover: { max_age: '1d', max_primary_shard_size: '25gb' },
          set_priority: { priority: 100 },
        },
      },
      delete: { min_age: keep, actions: { delete: {} } },
    },
  },
})

const template = (name: string, fields: ReadonlyMap<string, Field>): object => ({
  index_patterns: [name],
  data_stream: {},
  priority: 200, // above Elastic's own templates, which end at 100
  _meta: { managed_by: 'postern' },
  template: {
    settings: {
      'index.lifecycle.name': name,
      'index.number_of_shards': 1,
      'index.mapping.total_fields.limit': 300,
      // A document with one broken field is better found without it than lost.
      'index.mapping.ignore_malformed': true,
    },
    mappings: {
      // A member that nobody knows stays in the document and makes no field, so that no caller can make thousands.
      dynamic: false,
      dynamic_templates: [...fields]
        .filter(([path]) => path.endsWith('.*'))
        .map(([path, mapping]) => ({ [path.replace('.*', '')]: { path_match: path, mapping } })),
      properties: tree(fields),
    },
  },
})

type Properties = Record<string, Record<string, unknown>>

const tree = (fields: ReadonlyMap<string, Field>): Properties => {
  const root: Properties = {}
  for (const [path, field] of fields) {
    const names = path.split('.')
    const last = names.pop() ?? ''
    let at = root
    for (const name of names) {
      const node = (at[name] ??= { properties: {} })
      if (last === '*') node['dynamic'] = true
      at = node['properties'] as Properties
    }
    if (last !== '*') at[last] = { ...field }
  }
  return root
}
