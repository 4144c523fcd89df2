import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { isObject } from '../core/json.ts'
import { readBounded } from '../core/read-bounded.ts'
import { singleConnection } from '../core/single-connection.ts'
import { readJson } from '../core/strict-json.ts'

/** Where certificates are asked for. Files are read at each call, because the kubelet renews them in place. */
export interface ControllerServer {
  /** `https:` only; `/v1/identity` is added. */
  readonly url: string
  /** PEM of the authorities that vouch for the controller, instead of the system's. */
  readonly caFile?: string
  /** A ServiceAccount token for the controller's audience. */
  readonly tokenFile: string
}

export interface Issued {
  readonly certificate: string
  readonly ca: string
  /** Milliseconds since the epoch. */
  readonly notAfter: number
}

const MAX_BYTES = 512 * 1024
const MAX_TOKEN_CHARACTERS = 16 * 1024
const LIMITS = { depth: 4, nodes: 64, keys: 32 }

/** One `POST /v1/identity`. Throws Error for anything but a whole, well-formed 200 in time. */
export const askController = async (
  { url, caFile, tokenFile }: ControllerServer,
  csr: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Issued> => {
  const token = await readToken(tokenFile)
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  const dispatcher = new Agent(singleConnection({ connectMs: timeoutMs, answerMs: timeoutMs, ca }))
  try {
    const { statusCode, headers, body } = await request(`${url.replace(/\/+$/, '')}/v1/identity`, {
      dispatcher,
      method: 'POST',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/pkcs10',
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': 'postern',
      },
      body: csr,
    })
    try {
      if ((headers['content-encoding'] ?? 'identity') !== 'identity')
        throw new Error('the controller answered in a content coding')
      const bytes = await readBounded(body, MAX_BYTES)
      if (bytes === undefined) throw new Error(`the controller answered more than ${MAX_BYTES} bytes`)
      if (statusCode !== 200) throw new Error(`the controller answered ${statusCode}${reason(bytes, token)}`)
      return readIssued(bytes)
    } finally {
      body.on('error', () => undefined).destroy()
    }
  } finally {
    await dispatcher.destroy()
  }
}

const readToken = async (path: string): Promise<string> => {
  const token = (await readFile(path, 'utf8')).trim()
  if (token.length > MAX_TOKEN_CHARACTERS || !/^[\x21-\x7e]+$/.test(token))
    throw new Error(`${path} holds no token`)
  return token
}

/** Why the controller refused, for whoever reads the log, if it is a plain short sentence that does not repeat the token. */
const reason = (bytes: Buffer, token: string): string => {
  try {
    const answer = readJson(bytes, LIMITS)
    const error = isObject(answer) ? answer['error'] : undefined
    return typeof error === 'string' && /^[\x20-\x7e]{1,300}$/.test(error) && !error.includes(token)
      ? `: ${error}`
      : ''
  } catch {
    return ''
  }
}

const readIssued = (bytes: Buffer): Issued => {
  const answer = readStrictly(bytes)
  const { certificate, ca, notAfter } = isObject(answer) ? answer : {}
  const end = typeof notAfter === 'string' ? Date.parse(notAfter) : Number.NaN
  if (typeof certificate !== 'string' || typeof ca !== 'string' || Number.isNaN(end))
    throw new Error('the controller must answer {"certificate", "ca", "notAfter"}')
  return { certificate, ca, notAfter: end }
}

const readStrictly = (bytes: Buffer): ReturnType<typeof readJson> => {
  try {
    return readJson(bytes, LIMITS)
  } catch (cause) {
    throw new Error('the controller answered no well-formed JSON', { cause })
  }
}
