import { isIPv4 } from 'node:net'
import { readBounded } from '../../../proxy/src/core/read-bounded.ts'

export interface Request {
  readonly url: URL
  /** Below the path of `url`; every part is encoded. */
  readonly path: readonly string[]
  /** A POST with it; a GET when absent. */
  readonly body?: object
  readonly key: string | undefined
  /** What the store reads the key from. */
  readonly header: string
}

const LIMIT_MS = 60_000
const MAX_BODY = 64 << 20 // bytes

/**
 * JSON of a store's REST interface. Throws an Error for any other status than 200, redirects included, for more than 64 MiB, after a minute,
 * and, before anything is sent, for a key that would leave this machine without TLS. Never with what the store or the key says.
 */
export const ask = async ({ url, path, body, key, header }: Request): Promise<unknown> => {
  if (key !== undefined && url.protocol !== 'https:' && !isLocal(url.hostname))
    throw new Error('a key is sent over https: only; name the store with an https: address')
  const target = new URL(`${url.pathname.replace(/\/$/, '')}/${path.map(encodeURIComponent).join('/')}`, url)
  const response = await fetch(target, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body && { 'content-type': 'application/json' }), ...(key && { [header]: key }) },
    ...(body && { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal: AbortSignal.timeout(LIMIT_MS),
  }).catch((cause: unknown) => {
    throw new Error(`${target.origin} does not answer`, { cause })
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(
      `${target.origin}${target.pathname} answers ${response.status}${HINT[response.status] ?? ''}`,
    )
  }
  return parsed(await bounded(response), target)
}

const HINT: Readonly<Record<number, string>> = {
  401: '; give the key with --key-env',
  403: '; the key may not read this',
  404: '; is the name of the collection right?',
}

const isLocal = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))

const bounded = async (response: Response): Promise<string> => {
  const bytes = await readBounded(response.body ?? [], MAX_BODY)
  if (bytes === undefined) throw new Error(`a page of the store is larger than ${MAX_BODY} bytes`)
  return bytes.toString()
}

const parsed = (text: string, target: URL): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${target.origin} answers what is no JSON`, { cause })
  }
}
