import { readFile } from 'node:fs/promises'
import { errors, Pool } from 'undici'
import { Refusal } from '../core/refusal.ts'

export interface OpaClientOptions {
  /** `http://host:port`, `https://host:port` or `unix:/path/to/socket`; a path after the port is put before OPA's own. */
  readonly url: string
  /** Milliseconds from the question to the whole answer, a second try included; 1000 when absent. */
  readonly deadlineMs?: number
  /** Connections kept open at most; 16 when absent. Questions wait for a free one, within their deadline. */
  readonly connections?: number
  /** A file with a bearer token, read again every half minute, since such tokens are rotated. */
  readonly tokenFile?: string
  /** PEM texts for https: whom to trust instead of the system's list, and who we are. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

export interface OpaReply {
  /** Undefined when the document is. */
  readonly result: unknown
  /** Undefined when the server runs no bundle that has one. */
  readonly revision: string | undefined
}

export interface OpaClient {
  /** `input` is JSON text. Throws Refusal `guard_unavailable` for no answer in time, `guard_failed` for one that is not OPA's. */
  ask(document: string, input: string): Promise<OpaReply>
  close(): Promise<void>
}

const MAX_ANSWER_BYTES = 1024 * 1024
const TOKEN_FRESH_MS = 30_000
const MAX_TOKEN_CHARS = 16_384

/** Throws Error for a URL that is none of the three kinds. */
export const opaClient = (options: OpaClientOptions): OpaClient => {
  const { deadlineMs = 1000, connections = 16, tls = {} } = options
  const { origin, prefix, socketPath } = addressOf(options.url)
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: deadlineMs, ...tls, ...(socketPath === undefined ? {} : { socketPath }) },
  })
  const token = tokenSource(options.tokenFile)

  const send = async (document: string, input: string, signal: AbortSignal): Promise<unknown> => {
    const bearer = await token()
    const { statusCode, body } = await pool.request({
      method: 'POST',
      // A builtin that fails must be an error, not an undefined that a rule might read as "nothing found".
      path: `${prefix}/v1/data/${document}?provenance=true&strict-builtin-errors=true`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body: `{"input":${input}}`,
      signal,
    })
    if (statusCode !== 200) {
      await body.dump({ limit: MAX_ANSWER_BYTES })
      const cause = new Error(`policy server answered ${statusCode}`)
      // So OPA answers when the policy itself fails for this input.
      const code = statusCode === 400 || statusCode === 500 ? 'guard_failed' : 'guard_unavailable'
      throw new Refusal(code, { cause, details: ['policy'] })
    }
    return body.json()
  }

  return {
    async ask(document, input) {
      const signal = AbortSignal.timeout(deadlineMs)
      try {
        return replyOf(
          await send(document, input, signal).catch((error: unknown) => {
            if (!isStaleConnection(error)) throw error
            return send(document, input, signal)
          }),
        )
      } catch (error) {
        throw asRefused(error)
      }
    },
    close: () => pool.destroy(),
  }
}

interface Address {
  readonly origin: string
  readonly prefix: string
  readonly socketPath?: string
}

const addressOf = (url: string): Address => {
  if (url.startsWith('unix:/'))
    return { origin: 'http://localhost', prefix: '', socketPath: url.slice('unix:'.length) }
  const parsed = URL.parse(url)
  if (
    parsed === null ||
    !['http:', 'https:'].includes(parsed.protocol) ||
    parsed.search !== '' ||
    parsed.username !== ''
  ) {
    throw new Error('policy server URL must be http://host:port, https://host:port or unix:/path/to/socket')
  }
  return { origin: parsed.origin, prefix: parsed.pathname.replace(/\/$/, '') }
}

/** A kept-alive connection may have been closed while the question was on its way. Asking again is safe: deciding changes nothing. */
const isStaleConnection = (error: unknown): boolean => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

const asRefused = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error
  // The parser's message quotes the answer.
  if (error instanceof SyntaxError) return failed('policy server answered something else than JSON')
  if (error instanceof errors.ResponseExceededMaxSizeError) return failed('policy server answered too much')
  return unavailable(error)
}

const unavailable = (cause: unknown): Refusal =>
  new Refusal('guard_unavailable', { cause, details: ['policy'] })

const failed = (message: string): Refusal =>
  new Refusal('guard_failed', { cause: new Error(message), details: ['policy'] })

const replyOf = (answer: unknown): OpaReply => {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw failed('policy server answered something else than an object')
  }
  return {
    result: 'result' in answer ? answer.result : undefined,
    revision: 'provenance' in answer ? revisionOf(answer.provenance) : undefined,
  }
}

const REVISION = /^[\x21-\x7e]{1,128}$/

/** `provenance.bundles` by name, or the single `revision` of a server that was started with one bundle. */
const revisionOf = (provenance: unknown): string | undefined => {
  const bundles = fieldOf(provenance, 'bundles')
  const revisions =
    typeof bundles === 'object' && bundles !== null
      ? Object.values(bundles).map((bundle: unknown) => fieldOf(bundle, 'revision'))
      : [fieldOf(provenance, 'revision')]
  const revision = revisions
    .filter((one) => typeof one === 'string' && one !== '')
    .sort()
    .join(',')
  return REVISION.test(revision) ? revision : undefined
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

const tokenSource = (file: string | undefined): (() => Promise<string | undefined>) => {
  let token: string | undefined
  let readAt = -Infinity
  return async () => {
    if (file === undefined || performance.now() - readAt < TOKEN_FRESH_MS) return token
    const text = (await readFile(file, 'utf8')).trim()
    if (text.length > MAX_TOKEN_CHARS || !/^[\x21-\x7e]+$/.test(text)) {
      throw unavailable(new Error('policy server token file does not hold one token'))
    }
    readAt = performance.now()
    return (token = text)
  }
}
