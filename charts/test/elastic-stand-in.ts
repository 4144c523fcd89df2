import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly user: string
  readonly body: string
}

export interface StandIn {
  readonly url: string
  readonly asked: readonly Asked[]
  /** What is kept, by path for Elasticsearch and as `type/id` for Kibana. */
  readonly kept: Map<string, string>
  close(): Promise<void>
}

export interface StandInOptions {
  /** By user name. */
  readonly passwords: Readonly<Record<string, string>>
  readonly port?: number
  /** An answer instead of the usual one, such as that of a server that is not ready. */
  readonly instead?: (asked: Asked) => { readonly status: number; readonly body: string } | undefined
}

/**
 * A stand-in for Elasticsearch 9 and Kibana 9: neither can be had here. It knows the requests that the chart's scripts send, as Elastic
 * documents them (lifecycle policies, index templates, roles, users, import and export of saved objects), keeps what it is given, and
 * checks who asks. It does not check what templates and objects mean.
 */
export const startStandIn = async ({ passwords, port = 0, instead }: StandInOptions): Promise<StandIn> => {
  const asked: Asked[] = []
  const kept = new Map<string, string>()
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const [user = '', password] = atob((request.headers.authorization ?? '').replace('Basic ', '')).split(
        ':',
      )
      const one = { method: request.method ?? '', path: request.url ?? '', user, body }
      asked.push(one)
      const known = password !== undefined && passwords[user] === password
      const { status, body: answer } = known
        ? (instead?.(one) ?? answerTo(one, request, kept))
        : { status: 401, body: '{"error":"unable to authenticate user"}' }
      response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
    })
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    kept,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const PUTS = [
  /^\/_ilm\/policy\/[a-z_-]+$/,
  /^\/_index_template\/[a-z_-]+$/,
  /^\/_security\/(?:role|user)\/[a-z_-]+$/,
]
const OK = { status: 200, body: '{"acknowledged":true}' }

const answerTo = (
  { method, path, body }: Asked,
  { headers }: IncomingMessage,
  kept: Map<string, string>,
): { readonly status: number; readonly body: string } => {
  const isJson = headers['content-type'] === 'application/json'
  if (isJson && method === 'PUT' && PUTS.some((known) => known.test(path))) {
    kept.set(path, JSON.stringify(JSON.parse(body)))
    return OK
  }
  if (isJson && method === 'POST' && path === '/_security/user/kibana_system/_password') {
    kept.set(path, JSON.stringify(JSON.parse(body)))
    return { status: 200, body: '{}' }
  }
  if (headers['kbn-xsrf'] === undefined) return { status: 400, body: '{"message":"missing kbn-xsrf header"}' }
  if (method === 'POST' && path === '/api/saved_objects/_import?overwrite=true') {
    const objects = partOf(body, headers['content-type'] ?? '').map(
      (line) => JSON.parse(line) as { type: string; id: string },
    )
    for (const one of objects) kept.set(`${one.type}/${one.id}`, JSON.stringify(one))
    return { status: 200, body: `{"successCount":${objects.length},"success":true,"warnings":[]}` }
  }
  if (isJson && method === 'POST' && path === '/api/saved_objects/_export') {
    const { objects } = JSON.parse(body) as { objects: readonly { type: string; id: string }[] }
    const missing = objects.some(({ type, id }) => !kept.has(`${type}/${id}`))
    return missing
      ? {
          status: 400,
          body: '{"statusCode":400,"error":"Bad Request","message":"Error fetching objects to export"}',
        }
      : { status: 200, body: objects.map(({ type, id }) => kept.get(`${type}/${id}`)).join('\n') }
  }
  return { status: 404, body: '{"error":"no such request"}' }
}

/** Lines of the one file in a form. */
const partOf = (form: string, type: string): readonly string[] => {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)?.[1] ?? 'none'
  const file =
    /^\r\nContent-Disposition: form-data; name="file"; filename="[^"]+\.ndjson"\r\n[^]*?\r\n\r\n([^]*)\r\n$/.exec(
      form.split(`--${boundary}`)[1] ?? '',
    )?.[1]
  return (file ?? '').split('\n').filter((line) => line !== '')
}
