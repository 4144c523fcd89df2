import { Agent, request } from 'undici'
import type { JsonObject } from '../core/json.ts'
import { readBounded } from '../core/read-bounded.ts'
import { parseObject } from './strict-json.ts'

export interface JsonClientOptions {
  /** For everything, from connecting to the last byte. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** PEM of the authorities that vouch for the server, instead of the system's. */
  readonly ca?: string
}

export interface JsonClient {
  /** One strict JSON object. Throws an Error for anything but 200, for redirects, codings, too many bytes and late ones. */
  get(url: URL): Promise<JsonObject>
  close(): Promise<void>
}

export const jsonClient = ({ timeoutMs, maxBytes, ca }: JsonClientOptions): JsonClient => {
  const dispatcher = new Agent({
    connections: 2,
    pipelining: 1,
    maxHeaderSize: 16_384,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 1_000,
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) },
  })
  return {
    get: async (url) => {
      const signal = AbortSignal.timeout(timeoutMs)
      const { statusCode, headers, body } = await request(url, { dispatcher, signal, headers: HEADERS })
      try {
        if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
        if ((headers['content-encoding'] ?? 'identity') !== 'identity')
          throw new Error('answered in a content coding')
        const bytes = await readBounded(body, maxBytes)
        if (bytes === undefined) throw new Error(`answered more than ${maxBytes} bytes`)
        return parseObject(bytes)
      } finally {
        body.on('error', () => undefined).destroy()
      }
    },
    close: () => dispatcher.destroy(),
  }
}

const HEADERS = {
  accept: 'application/json, application/jwk-set+json',
  'accept-encoding': 'identity',
  'user-agent': 'postern',
}
