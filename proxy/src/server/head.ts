import type { IncomingMessage } from 'node:http'
import type { Route } from '../core/exchange.ts'
import { Refusal } from '../core/refusal.ts'

export interface Head {
  /** Lower-case names; a header that came twice and may is not here. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Bytes that `content-length` announces; undefined for a chunked body. */
  readonly length: number | undefined
  readonly hasBody: boolean
}

/** Lists by nature, or of no weight here. Every other header may come once. */
const REPEATABLE = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'baggage',
  'cache-control',
  'cookie',
  'pragma',
  'te',
  'tracestate',
  'via',
])

/** Headers that change what a model server does; every other header of the client stays here. */
const FORWARDED = ['anthropic-beta', 'anthropic-version', 'openai-beta'] as const
const MAX_FORWARDED = 256

/**
 * The checks that need no route. Node's parser has already refused broken framing; this refuses what two servers
 * could read differently. `option` is what `connection` may name besides `close` and `keep-alive`.
 * Throws Refusal `headers_invalid` or `upgrade_refused`.
 */
export const readHead = (request: IncomingMessage, maxHeaders: number, option?: 'upgrade'): Head => {
  if (request.httpVersion !== '1.1') throw invalid('HTTP/1.1 is required', 505)
  const headers = collect(request.rawHeaders, maxHeaders)
  if (headers.host === undefined || !isHost(headers.host)) throw invalid('host')
  if (headers.upgrade !== undefined && option === undefined) throw new Refusal('upgrade_refused')
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    throw invalid('expect', 417)
  checkConnection(headers.connection, option)
  const coding = headers['transfer-encoding']
  const length = headers['content-length']
  if (coding !== undefined && (length !== undefined || coding !== 'chunked'))
    throw invalid('transfer-encoding')
  const bytes = length === undefined ? undefined : Number(length)
  return { headers, length: bytes, hasBody: coding !== undefined || (bytes !== undefined && bytes > 0) }
}

/** Throws Refusal `body_invalid`, `body_too_large`, `media_type_unsupported`. */
export const checkBodyHead = (head: Head, route: Route, maxBytes: number): void => {
  if (route.body === 'none') {
    if (head.hasBody) throw new Refusal('body_invalid', { details: ['this route takes no body'] })
    return
  }
  if (head.length !== undefined && head.length > maxBytes) throw tooLarge(maxBytes)
  if (route.body === 'any') return
  const coding = head.headers['content-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'identity') throw unsupported('content-encoding')
  const type = head.headers['content-type']
  const wanted = route.body === 'form' ? 'application/x-www-form-urlencoded' : 'application/json'
  if (type !== wanted && !isMediaType(type ?? '', wanted)) throw unsupported(`content-type must be ${wanted}`)
}

/** The headers that may go to a model server. Throws Refusal `headers_invalid` for one that is too long or no list of versions. */
export const forwardable = (headers: Head['headers']): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const name of FORWARDED) {
    const value = headers[name]
    if (value === undefined) continue
    if (value.length > MAX_FORWARDED || !isVersionList(value)) throw invalid(name)
    found[name] = value
  }
  return found
}

export const tooLarge = (maxBytes: number): Refusal =>
  new Refusal('body_too_large', { details: [`at most ${maxBytes} bytes`] })

const collect = (raw: readonly string[], maxHeaders: number): Record<string, string | undefined> => {
  if (raw.length > maxHeaders * 2) throw invalid(`at most ${maxHeaders} headers`, 431)
  const headers = Object.create(null) as Record<string, string | undefined>
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    const value = raw[i + 1] ?? ''
    // Servers that map headers to variables read `x_api_key` as `x-api-key`.
    if (name.includes('_')) throw invalid('a header name with an underscore')
    if (!isPrintable(value)) throw invalid('a header value that is not printable ASCII')
    if (!(name in headers)) headers[name] = value
    else if (REPEATABLE.has(name)) headers[name] = undefined
    else throw invalid('a header that came twice')
  }
  return headers
}

/** A `connection` header can make the next hop drop any header it names. */
const checkConnection = (value: string | undefined, extra: string | undefined): void => {
  if (value === undefined || value === 'keep-alive' || value === 'close') return
  for (const token of value.split(',')) {
    const option = token.trim().toLowerCase()
    if (option !== 'keep-alive' && option !== 'close' && option !== extra) throw invalid('connection')
  }
}

const isMediaType = (value: string, wanted: string): boolean => {
  const [type = '', parameter, ...more] = value.toLowerCase().split(';', 3)
  if (type.trim() !== wanted || more.length > 0) return false
  if (parameter === undefined) return true
  const charset = parameter.trim()
  return charset === 'charset=utf-8' || charset === 'charset="utf-8"'
}

/** Names and dates of features, such as `files-api-2025-04-14, assistants=v2`: no room for prose or code. */
const isVersionList = (value: string): boolean => /^[A-Za-z0-9 ,=._-]*$/.test(value)

const isHost = (value: string): boolean => value.length <= 255 && /^[A-Za-z0-9.:[\]-]+$/.test(value)

const isPrintable = (value: string): boolean => !/[^\t\x20-\x7e]/.test(value)

const unsupported = (detail: string): Refusal => new Refusal('media_type_unsupported', { details: [detail] })

const invalid = (detail: string, status = 400): Refusal =>
  new Refusal('headers_invalid', { details: [detail], status })
