import { Agent, request } from 'undici'
import { isObject, type Json, type JsonObject } from '../core/json.ts'
import { MAX_ORDERS, readOrders, type Order } from '../core/orders.ts'
import { readBounded } from '../core/read-bounded.ts'
import { singleConnection } from '../core/single-connection.ts'
import { readJson } from '../core/strict-json.ts'
import type { Aim } from './rules.ts'

export interface DeskClientOptions {
  /** Of a guard's admin port or of the controller; only scheme, host and port count. */
  readonly url: URL
  /** That of operators. Sent, and never part of an error. */
  readonly secret: string
  /** PEM certificates that vouch for the desk, instead of those of the system. */
  readonly ca?: string
  /** Name in the desk's certificate, when it is not that of the URL. */
  readonly serverName?: string
  /** For one answer, connection and body included. */
  readonly timeoutMs: number
}

export interface ListedOrder extends Order {
  readonly inForce: boolean
}

/** What the desk did. `result` is one of those of `issue`, or `unknown`. */
export interface Given {
  readonly done: boolean
  readonly result: string
  /** Empty when there is no order. */
  readonly id: string
  /** RFC 3339; empty when there is no order, or the desk is older. */
  readonly until: string
}

/** Every method rejects with an Error that says what to do, and names no secret. */
export interface DeskClient {
  list(): Promise<readonly ListedOrder[]>
  give(wish: { readonly aim: Aim; readonly by: string; readonly seconds: number }): Promise<Given>
  /** False when no such order is in force. */
  undo(id: string, by: string): Promise<boolean>
}

/** A full store of orders is a quarter of it. */
const MAX_ANSWER = 4 << 20
const LIMITS = { depth: 6, nodes: 20 * MAX_ORDERS, keys: 20 * MAX_ORDERS }

/** Speaks to the desk of one guard or controller, with a connection for each call. Redirects are not followed: the secret is for one address. */
export const deskClient = (options: DeskClientOptions): DeskClient => ({
  list: async () => {
    const { body } = await call(options, { path: 'orders' }, [200])
    return listIn(body['orders']) ?? noDesk(options)
  },
  give: async ({ aim, by, seconds }) => {
    const wish = { by, seconds, ...fieldsOf(aim) }
    const { status, body } = await call(options, { path: 'orders', wish }, [200, 409])
    const { result, id = '', until = '' } = body
    if (typeof result !== 'string' || typeof id !== 'string' || typeof until !== 'string')
      return noDesk(options)
    return { done: status === 200, result, id, until }
  },
  undo: async (id, by) => {
    const { status, body } = await call(options, { path: 'undo', wish: { id, by } }, [200, 404])
    if (status === 200) return body['undone'] === id || noDesk(options)
    // A page that is not there is no order that is not there.
    return body['error'] === 'no such order is in force' ? false : noPath(options)
  },
})

const fieldsOf = (aim: Aim): JsonObject => {
  switch (aim.kind) {
    case 'revoke':
      return { kind: aim.kind, ...aim.caller }
    case 'tighten':
      return { ...aim }
    case 'quarantine':
      // A guard alone has no pod to name: it is itself.
      return aim.pod === '' ? { kind: aim.kind } : { ...aim }
  }
}

interface Said {
  readonly status: number
  readonly body: JsonObject
}

const call = async (
  options: DeskClientOptions,
  asked: { readonly path: string; readonly wish?: JsonObject },
  wanted: readonly number[],
): Promise<Said> => {
  const { status, bytes } = await exchange(options, asked)
  const body = objectIn(bytes)
  if (body !== undefined && wanted.includes(status)) return { status, body }
  const why = typeof body?.['error'] === 'string' ? body['error'].slice(0, 300) : ''
  switch (status) {
    case 400:
      throw new Error(`the desk does not understand: ${why}`)
    case 401:
      throw new Error(
        'the desk refuses the secret: give that of respond.operatorTokenFile (falcosidekick has another one)',
      )
    case 404:
    case 405:
      return noPath(options)
    case 503:
      throw new Error(`the desk cannot do it now${why && `: ${why}`}; try again, and look into its log`)
    default:
      return noDesk(options, status)
  }
}

const exchange = async (
  { url, secret, ca, serverName, timeoutMs }: DeskClientOptions,
  { path, wish }: { readonly path: string; readonly wish?: JsonObject },
): Promise<{ readonly status: number; readonly bytes: Buffer }> => {
  const dispatcher = new Agent(
    singleConnection({ connectMs: timeoutMs, answerMs: timeoutMs, ca, serverName }),
  )
  try {
    const answer = await request(new URL(`/v1/respond/${path}`, url), {
      dispatcher,
      method: wish === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        accept: 'application/json',
        'user-agent': 'postern',
        ...(wish !== undefined && { 'content-type': 'application/json' }),
      },
      ...(wish !== undefined && { body: JSON.stringify(wish) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const bytes = await readBounded(answer.body, MAX_ANSWER)
    if (bytes === undefined) throw new Error(`it sends more than ${MAX_ANSWER} bytes, so it is no desk`)
    return { status: answer.statusCode, bytes }
  } catch (error) {
    const maybe = wish === undefined ? '' : ' It may have been done all the same: postern respond list tells.'
    throw new Error(`${url.origin} does not answer: ${reasonOf(error, timeoutMs)}.${maybe}`, { cause: error })
  } finally {
    await dispatcher.destroy()
  }
}

const reasonOf = (error: unknown, timeoutMs: number): string => {
  const { code = '', name, message } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError') return `nothing came within ${timeoutMs / 1000} s`
  if (code === 'ECONNREFUSED')
    return 'nobody listens there; is the address that of the admin port, or of the controller'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'its certificate has another name; give that with --server-name'
  if (/CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(code))
    return `its certificate is not trusted (${code}); give the CA with --ca`
  return code === '' ? message : `${message} (${code})`
}

const objectIn = (bytes: Buffer): JsonObject | undefined => {
  try {
    const read = readJson(bytes, LIMITS)
    return isObject(read) ? read : undefined
  } catch {
    return undefined
  }
}

/** Undefined for anything that is no list of orders. */
const listIn = (orders: Json | undefined): readonly ListedOrder[] | undefined => {
  if (!Array.isArray(orders)) return undefined
  const rows: readonly JsonObject[] = (orders as readonly Json[]).filter(isObject)
  if (rows.length < orders.length) return undefined
  try {
    const stored = rows.map(({ id, target, by, event, since, until, ended }) => ({
      ...{ id, target, by, event, since: timeOf(since), until: timeOf(until) },
      ...(isObject(ended) && { ended: { ...ended, at: timeOf(ended['at']) } }),
    }))
    const read = readOrders(Buffer.from(JSON.stringify({ v: 1, orders: stored })))
    return read.map((order, at) => ({ ...order, inForce: rows[at]?.['in_force'] === true }))
  } catch {
    return undefined
  }
}

const timeOf = (text: Json | undefined): number | null => {
  const time = typeof text === 'string' ? Date.parse(text) : NaN
  return Number.isNaN(time) ? null : time
}

const noDesk = ({ url }: DeskClientOptions, status = 200): never => {
  throw new Error(
    `${url.origin} answers ${status}, but not as a desk does; --url takes the admin port of a guard, or the controller`,
  )
}

const noPath = ({ url }: DeskClientOptions): never => {
  throw new Error(
    `${url.origin} has no desk for operators; set respond.operatorTokenFile there, or give the admin port with --url`,
  )
}
