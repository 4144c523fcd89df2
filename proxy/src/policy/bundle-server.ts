import { readFile } from 'node:fs/promises'
import { Agent, request, type Dispatcher } from 'undici'
import { readBounded } from '../core/read-bounded.ts'
import { singleConnection } from '../core/single-connection.ts'

/** The server of a bundle. Files are read at each call, because tokens and certificates are renewed in place. */
export interface BundleServer {
  /** `https:` only. */
  readonly url: string
  /** PEM of the authorities that vouch for the server, instead of the system's. */
  readonly caFile?: string
  /** A bearer token. */
  readonly tokenFile?: string
  readonly client?: { readonly certFile: string; readonly keyFile: string }
}

export interface BundleRequest {
  /** The ETag of what is here already. */
  readonly etag: string | undefined
  /** Seconds that the server may wait for a newer one; 0 asks for none. */
  readonly waitS: number
  /** For everything beyond that wait. */
  readonly timeoutMs: number
  readonly maxBytes: number
  readonly signal: AbortSignal
}

export type BundleAnswer =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'bundle'
      readonly bytes: Uint8Array
      readonly etag: string | undefined
      /** The server says that it waits when asked to. */
      readonly waits: boolean
    }

const MAX_TOKEN_BYTES = 16 * 1024
const MAX_ETAG = 256

/** The media type with which OPA's bundle API announces long polling. */
const WAITS = 'application/vnd.openpolicyagent.bundles'

/** One GET of the OPA bundle API. Throws Error for anything but a whole 200 or a 304 that was asked for. */
export const askForBundle = async (server: BundleServer, ask: BundleRequest): Promise<BundleAnswer> => {
  const waitMs = ask.timeoutMs + ask.waitS * 1000
  const dispatcher = await agent(server, ask.timeoutMs, waitMs)
  const ended = AbortSignal.any([ask.signal, AbortSignal.timeout(waitMs)])
  try {
    const answer = await request(server.url, {
      dispatcher,
      signal: ended,
      headers: await headers(server, ask),
    })
    try {
      return await read(answer, ask)
    } finally {
      answer.body.on('error', () => undefined).destroy()
    }
  } finally {
    await dispatcher.destroy()
  }
}

const agent = async (
  { caFile, client }: BundleServer,
  connectMs: number,
  answerMs: number,
): Promise<Agent> => {
  const file = (path: string): Promise<string> => readFile(path, 'utf8')
  const ca = caFile === undefined ? undefined : await file(caFile)
  const shown = client && { cert: await file(client.certFile), key: await file(client.keyFile) }
  return new Agent(singleConnection({ connectMs, answerMs, ca, client: shown }))
}

const headers = async ({ tokenFile }: BundleServer, { etag, waitS }: BundleRequest) => ({
  accept: `application/gzip, application/octet-stream, ${WAITS}`,
  'accept-encoding': 'identity',
  'user-agent': 'postern',
  ...(tokenFile !== undefined && { authorization: `Bearer ${await readToken(tokenFile)}` }),
  ...(etag !== undefined && { 'if-none-match': etag }),
  ...(waitS > 0 && { prefer: `wait=${waitS}` }),
})

const readToken = async (path: string): Promise<string> => {
  const token = (await readFile(path, 'utf8')).trim()
  if (token.length > MAX_TOKEN_BYTES || !/^[\x21-\x7e]+$/.test(token))
    throw new Error(`${path}: holds no bearer token`)
  return token
}

const read = async (
  { statusCode, headers, body }: Dispatcher.ResponseData,
  { etag, maxBytes }: BundleRequest,
): Promise<BundleAnswer> => {
  if (statusCode === 304 && etag !== undefined) return { kind: 'unchanged' }
  if (statusCode >= 300 && statusCode < 400)
    throw new Error(`answered ${statusCode}: redirects are not followed`)
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Error('answered in a content coding')
  const bytes = await readBounded(body, maxBytes)
  if (bytes === undefined) throw new Error(`answered more than ${maxBytes} bytes`)
  return { kind: 'bundle', bytes, etag: usable(headers.etag), waits: headers['content-type'] === WAITS }
}

const usable = (etag: string | string[] | undefined): string | undefined =>
  typeof etag === 'string' && etag.length <= MAX_ETAG && /^[\x21-\x7e]+$/.test(etag) ? etag : undefined
