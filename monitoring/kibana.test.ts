import { expect, test } from '@jest/globals'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startTestGuard } from '../proxy/test/start.ts'
import { sendRound } from './demo/traffic.ts'
import { load } from './kibana/load.ts'
import { auditFields, logFields } from './kibana/mapping.ts'
import { savedObjects } from './kibana/objects.ts'
import { elasticsearchRequests } from './kibana/templates.ts'
import { readFileSync } from 'node:fs'

const fieldsOf = (view: string): ReadonlyMap<string, unknown> =>
  view === 'postern-log' ? logFields() : auditFields()

interface Properties {
  readonly [name: string]: {
    readonly type?: string
    readonly dynamic?: boolean
    readonly properties?: Properties
  }
}

/** Paths of a JSON value as Elasticsearch sees them: lists are flattened, null is nothing. */
const pathsOf = (value: unknown, path = ''): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((one) => pathsOf(one, path))
  if (value === null) return []
  if (typeof value !== 'object') return [path]
  return Object.entries(value).flatMap(([name, member]) =>
    pathsOf(member, path === '' ? name : `${path}.${name}`),
  )
}

const isMapped = (path: string, properties: Properties): boolean => {
  const [name = '', ...rest] = path.split('.')
  const field = properties[name]
  if (field === undefined) return false
  if (rest.length === 0) return field.type !== undefined
  return field.dynamic === true || isMapped(rest.join('.'), field.properties ?? {})
}

test('every field that a search, a chart or a column uses is one of the record', () => {
  for (const { type, id, attributes, references } of savedObjects()) {
    if (type !== 'search' && type !== 'visualization') continue
    const fields = fieldsOf(references[0]?.id ?? '')
    const { searchSourceJSON } = attributes['kibanaSavedObjectMeta'] as { searchSourceJSON: string }
    const { query } = (JSON.parse(searchSourceJSON) as { query: { query: string } }).query
    const used = [
      ...[...query.matchAll(/([\w.]+):/g)].map(([, field]) => field ?? ''),
      ...((attributes['columns'] ?? []) as string[]),
      ...((attributes['sort'] ?? []) as string[][]).map(([field]) => field ?? ''),
      ...[...((attributes['visState'] ?? '') as string).matchAll(/"field":"([^"]+)"/g)].map(
        ([, field]) => field ?? '',
      ),
    ]
    expect(used.length).toBeGreaterThan(0)
    expect([id, used.filter((field) => !fields.has(field))]).toEqual([id, []])
  }
})

test('saved objects have different ids, and every reference is to one of them', () => {
  const objects = savedObjects()
  const names = objects.map(({ type, id }) => `${type}/${id}`)
  expect(new Set(names).size).toBe(names.length)
  const referred = objects.flatMap(({ references }) => references.map(({ type, id }) => `${type}/${id}`))
  expect(referred.filter((name) => !names.includes(name))).toEqual([])
})

test('every member of real records has a field, so that nothing written cannot be searched', async () => {
  const guard = await startTestGuard()
  try {
    await sendRound(guard)
    await guard.records()
    const body = elasticsearchRequests().get('_index_template/postern-audit') as {
      template: { mappings: { properties: Properties } }
    }
    const { properties } = body.template.mappings
    const lines = readFileSync(guard.auditFile, 'utf8').trim().split('\n')
    expect(lines.length).toBeGreaterThan(10)
    const paths = new Set(lines.flatMap((line) => pathsOf(JSON.parse(line))))
    expect([...paths].filter((path) => !isMapped(path, properties))).toEqual([])
  } finally {
    await guard.close()
  }
})

test('the loader puts every template and imports every object, and says what was refused', async () => {
  const got: string[] = []
  let status = 200
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      got.push(`${request.method} ${request.url} ${request.headers.authorization} ${body.length > 100}`)
      response.writeHead(status).end(status === 200 ? '{"success":true}' : 'not allowed')
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const target = { elasticsearch: url, kibana: `${url}/base`, authorization: 'ApiKey x' }
  try {
    await load(target)
    expect(got).toEqual([
      'PUT /_ilm/policy/postern-audit ApiKey x true',
      'PUT /_ilm/policy/postern-log ApiKey x true',
      'PUT /_index_template/postern-audit ApiKey x true',
      'PUT /_index_template/postern-log ApiKey x true',
      'POST /base/api/saved_objects/_import?overwrite=true ApiKey x true',
    ])
    status = 403
    await expect(load(target)).rejects.toThrow('/_ilm/policy/postern-audit: 403: not allowed')
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
