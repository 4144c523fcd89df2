import { parseArgs } from 'node:util'
import { elasticsearchRequests } from './templates.ts'
import { savedObjects } from './objects.ts'

const HELP = `node monitoring/kibana/load.ts [--elasticsearch URL] [--kibana URL]
Puts the lifecycle policies and index templates into Elasticsearch and the saved objects into Kibana, replacing what was there of them.
ELASTIC_AUTHORIZATION, if set, is sent as the Authorization header, such as "ApiKey ...".
`

export interface Target {
  readonly elasticsearch?: string
  readonly kibana?: string
  readonly authorization?: string
}

/** Throws Error with the status and the beginning of the answer when one of them refuses. Loading twice is the same as once. */
export const load = async ({ elasticsearch, kibana, authorization }: Target): Promise<readonly string[]> => {
  const headers = authorization === undefined ? {} : { authorization }
  const done: string[] = []
  if (elasticsearch !== undefined)
    for (const [path, body] of elasticsearchRequests()) {
      await send(new URL(path, slashed(elasticsearch)), {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      done.push(path)
    }
  if (kibana !== undefined) {
    const form = new FormData()
    const lines = savedObjects().map((object) => `${JSON.stringify(object)}\n`)
    form.set('file', new Blob(lines, { type: 'application/x-ndjson' }), 'postern.ndjson')
    const url = new URL('api/saved_objects/_import?overwrite=true', slashed(kibana))
    const answer = await send(url, {
      method: 'POST',
      headers: { ...headers, 'kbn-xsrf': 'postern' },
      body: form,
    })
    const { success, errors } = JSON.parse(answer) as { success: boolean; errors?: unknown }
    if (!success)
      throw new Error(`Kibana did not take the saved objects: ${JSON.stringify(errors).slice(0, 500)}`)
    done.push(`${lines.length} saved objects`)
  }
  return done
}

const slashed = (url: string): string => (url.endsWith('/') ? url : `${url}/`)

const send = async (url: URL, init: RequestInit): Promise<string> => {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}: ${text.slice(0, 500)}`)
  return text
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { elasticsearch: { type: 'string' }, kibana: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help || (values.elasticsearch === undefined && values.kibana === undefined))
    process.stdout.write(HELP)
  else {
    const authorization = process.env['ELASTIC_AUTHORIZATION']
    const done = await load({ ...values, ...(authorization !== undefined && { authorization }) })
    process.stdout.write(`${done.join('\n')}\n`)
  }
}
