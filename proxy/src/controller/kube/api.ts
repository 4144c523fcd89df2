import { HttpMethod, RequestContext, type KubeConfig } from '@kubernetes/client-node'
import { request, type Dispatcher } from 'undici'
import { readBounded } from '../../core/read-bounded.ts'

/** What all objects of Kubernetes have, as it comes in JSON. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: KubeMetadata
}

export interface KubeMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

export interface KubeCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its query, such as `/api/v1/namespaces?limit=500`. */
  readonly path: string
  readonly body?: unknown
  /** Of the body; JSON when absent. */
  readonly type?: string
  readonly signal: AbortSignal
}

export interface KubeApi {
  /** Throws KubeError when the API server refuses, another Error when there is no answer in ten seconds. */
  call<Answer>(call: KubeCall): Promise<Answer>
  /** The lines of a watch, parsed, until the server ends it. Silence of 100 seconds is an Error: bookmarks come every minute. */
  watch(path: string, signal: AbortSignal): AsyncIterable<unknown>
}

/** The API server said no. `status` is the HTTP status. The message has what was asked for and the server's reason. */
export class KubeError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'KubeError'
    this.status = status
  }
}

const TIMEOUT_MS = 10_000
const SILENCE_MS = 100_000
/** Bytes of one answer; a page of 500 objects is far below. */
const MAX_ANSWER = 64 * 1024 * 1024
/** Bytes of one line of a watch; etcd takes objects of 1.5 MiB. */
const MAX_LINE = 8 * 1024 * 1024

/** The API of Kubernetes by path, with the credentials and connections of the client. */
export const kubeApi = (kube: KubeConfig): KubeApi => {
  const send = async (
    { method, path, body, type = 'application/json', signal }: KubeCall,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> => {
    const server = kube.getCurrentCluster()?.server
    if (server === undefined) throw new Error('there is no API server in the Kubernetes configuration')
    const context = new RequestContext(`${server}${path}`, HttpMethod.GET)
    await kube.applySecurityAuthentication(context)
    const dispatcher = context.getDispatcher()
    return request(context.getUrl(), {
      method,
      ...(dispatcher === undefined ? {} : { dispatcher }),
      headers: {
        ...context.getHeaders(),
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout,
    })
  }
  return {
    call: async (call) => {
      const signal = AbortSignal.any([call.signal, AbortSignal.timeout(TIMEOUT_MS)])
      const answer = await send({ ...call, signal }, TIMEOUT_MS)
      const text = await read(answer.body)
      if (answer.statusCode >= 300) throw refused(call, answer.statusCode, text)
      return JSON.parse(text) as never
    },
    watch: async function* (path, signal) {
      const call: KubeCall = { method: 'GET', path, signal }
      const answer = await send(call, SILENCE_MS)
      if (answer.statusCode >= 300) throw refused(call, answer.statusCode, await read(answer.body))
      yield* lines(answer.body)
    },
  }
}

const read = async (body: AsyncIterable<Buffer>): Promise<string> => {
  const bytes = await readBounded(body, MAX_ANSWER)
  if (bytes === undefined) throw new Error(`the API server answers with more than ${MAX_ANSWER} bytes`)
  return bytes.toString()
}

async function* lines(body: AsyncIterable<Buffer>): AsyncIterable<unknown> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)])
      ;[parts, size, start] = [[], 0, end + 1]
      if (line.length > 0) yield JSON.parse(line.toString())
    }
    parts.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > MAX_LINE) throw new Error(`a watch sends a line of more than ${MAX_LINE} bytes`)
  }
}

const refused = ({ method, path }: KubeCall, status: number, text: string): KubeError => {
  const what = `${method} ${path.split('?', 1)[0] ?? ''}`
  const hint = status === 403 ? '; install the roles of the chart' : ''
  return new KubeError(status, `${what}: ${status} ${messageOf(text)}${hint}`)
}

const messageOf = (text: string): string => {
  try {
    return String((JSON.parse(text) as { readonly message?: unknown }).message).slice(0, 300)
  } catch {
    return ''
  }
}
