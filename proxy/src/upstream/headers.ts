import { Refusal } from '../core/refusal.ts'
import type { ModelRequest } from '../core/upstream.ts'

/** Sent with every call, or made by the HTTP client itself; never taken from the client. */
const OURS = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-api-key',
])

/** What one upstream gets with every call. */
export interface OwnHeaders {
  /** Names and values in turn, as undici takes them fastest. */
  readonly pairs: readonly string[]
  /** Names that a client's header cannot set. */
  readonly names: ReadonlySet<string>
}

export const ownHeaders = (
  credential: { readonly header: string; readonly value: string } | undefined,
): OwnHeaders => {
  const pairs = ['content-type', 'application/json', 'accept-encoding', 'identity']
  if (credential === undefined) return { pairs, names: OURS }
  const name = credential.header.toLowerCase()
  if (!isToken(name) || credential.value === '' || !isPrintable(credential.value))
    throw new Error('credential: the header is a plain name, the value printable ASCII in one line')
  return { pairs: [...pairs, name, credential.value], names: new Set([...OURS, name]) }
}

export const requestHeaders = (request: ModelRequest, own: OwnHeaders): string[] => {
  const accept = request.stream ? 'text/event-stream, application/json' : 'application/json'
  const headers = [...own.pairs, 'accept', accept]
  for (const name in request.headers) {
    const value = request.headers[name]
    if (value === undefined || own.names.has(name)) continue
    if (!isToken(name) || !isPlain(value)) throw new Refusal('guard_failed', { cause: new Error('header') })
    headers.push(name, value)
  }
  return headers
}

/** undici's pool loses a connection for ever with each request line or header that it refuses: give it none. */
export const isPath = (path: string): boolean => {
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at)
    if (code <= 0x20 || code > 0x7e || code === HASH) return false
  }
  return path.startsWith('/')
}

export const isToken = (name: string): boolean => /^[a-z0-9-]{1,64}$/.test(name)

const HASH = 0x23

/** May be passed on or are read by the guard. The upstream's own rate limits are not the client's business. */
const KEPT = [
  'content-type',
  'retry-after',
  'retry-after-ms',
  'x-request-id',
  'request-id',
  'openai-processing-ms',
] as const

const MAX_VALUE = 256

type Received = Readonly<Record<string, string | string[] | undefined>>

/** Undefined when the headers cannot be trusted to mean one thing. */
export const replyHeaders = (received: Received): Record<string, string> | undefined => {
  const headers: Record<string, string> = {}
  for (const name of KEPT) {
    const value = received[name]
    if (value === undefined) continue
    if (typeof value === 'string' && isPlain(value)) headers[name] = value
    else if (name === 'content-type') return undefined
  }
  return headers
}

/** The body is read as it comes: a coding would hide what it says. */
export const isUncoded = (received: Received): boolean => {
  const { 'content-encoding': coding, 'transfer-encoding': transfer } = received
  return (
    (coding === undefined || (typeof coding === 'string' && coding.toLowerCase() === 'identity')) &&
    (transfer === undefined || (typeof transfer === 'string' && transfer.toLowerCase() === 'chunked'))
  )
}

const isPlain = (value: string): boolean => value.length <= MAX_VALUE && isPrintable(value)

const isPrintable = (value: string): boolean => {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
