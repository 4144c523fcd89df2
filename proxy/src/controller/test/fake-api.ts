import { KubeConfig } from '@kubernetes/client-node'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** JSON of whatever shape. */
type Loose = ReturnType<typeof JSON.parse>

export interface FakeObject {
  readonly kind?: string
  readonly metadata: { readonly name: string; readonly resourceVersion?: string } & Record<string, unknown>
  readonly [key: string]: Loose
}

export interface FakeApi {
  readonly kube: () => KubeConfig
  /** By path, such as `/api/v1/namespaces/postern/secrets/postern-ca`. */
  readonly objects: Map<string, FakeObject>
  /** METHOD and path of each request. */
  readonly requests: string[]
  /** Answers with this status from now on; 0 answers nothing at all; undefined as usual. */
  broken: number | undefined
  /** Instead of the stored objects, for this method and path; undefined leaves it to them. */
  answer: (
    method: string,
    path: string,
    sent: { readonly body: Loose; readonly query: URLSearchParams },
  ) => { status: number; body: unknown } | undefined
  close(): Promise<void>
}

/** Stored objects with resourceVersion, create, read, list, replace and JSON patch, as far as the controller's own parts use them. */
export const fakeApi = async (): Promise<FakeApi> => {
  const objects = new Map<string, FakeObject>()
  const requests: string[] = []
  let version = 1
  const store = (path: string, object: FakeObject): FakeObject => {
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++version) } }
    objects.set(path, stored)
    return stored
  }
  const act = (method: string, path: string, body: Loose): { status: number; body: unknown } => {
    const found = objects.get(path)
    if (method === 'POST') {
      const at = `${path}/${body.metadata.name}`
      return objects.has(at) ? failure(409) : { status: 201, body: store(at, body as FakeObject) }
    }
    if (found === undefined) {
      const items = [...objects].filter(([at]) => at.slice(0, at.lastIndexOf('/')) === path)
      return items.length === 0 ? failure(404) : { status: 200, body: { items: items.map(([, one]) => one) } }
    }
    if (method === 'PUT') {
      const sent = body.metadata.resourceVersion
      return sent !== undefined && sent !== found.metadata.resourceVersion
        ? failure(409)
        : { status: 200, body: store(path, body as FakeObject) }
    }
    if (method === 'PATCH') return { status: 200, body: store(path, patched(found, body as Loose[])) }
    return { status: 200, body: found }
  }
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      const { method = '', url = '' } = request
      const [path = '', query] = url.split('?')
      requests.push(`${method} ${path}`)
      if (fake.broken === 0) return
      const own = fake.answer(method, path, { body, query: new URLSearchParams(query) })
      const reply = fake.broken === undefined ? (own ?? act(method, path, body)) : failure(fake.broken)
      response.writeHead(reply.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(reply.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: FakeApi = {
    kube: () => {
      const kube = new KubeConfig()
      kube.loadFromClusterAndUser({ name: 'fake', server: url, skipTLSVerify: true }, { name: 'fake' })
      return kube
    },
    objects,
    requests,
    broken: undefined,
    answer: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return fake
}

const failure = (code: number) => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'no', code },
})

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
}

const patched = (object: FakeObject, operations: readonly Loose[]): FakeObject => {
  const copy = structuredClone(object)
  for (const { op, path, value } of operations) {
    const steps = String(path).slice(1).split('/')
    const last = steps.pop() ?? ''
    let parent: Loose = copy
    for (const step of steps) parent = parent[step]
    if (op === 'test') {
      if (parent[last] !== value) throw new Error('test failed')
    } else parent[last] = value
  }
  return copy
}
