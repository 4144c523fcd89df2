import { hash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isObject, type JsonObject } from '../core/json.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { inForce, type OrderStore, type Target } from '../core/orders.ts'
import { readJson } from '../core/strict-json.ts'
import { issue, undo, type Bounds, type Issued } from './book.ts'
import { readFalcoEvent } from './falco.ts'
import { seenEvents } from './seen.ts'
import { wishesFor, type Aim, type RespondRule } from './rules.ts'

export interface DeskOptions {
  readonly store: OrderStore
  readonly rules: readonly RespondRule[]
  readonly bounds: Bounds
  /** Files with the bearer secrets of falcosidekick and of operators, read at each use. Without one its paths answer 404. */
  readonly tokenFile?: string
  readonly operatorTokenFile?: string
  /** Milliseconds: older events, and those from the future, are refused. */
  readonly maxAgeMs: number
  /** The target of an aim; undefined when there is no such pod. Rejects when that cannot be told. */
  readonly targetOf: (aim: Aim) => Promise<Target | undefined>
  readonly meter: Meter
  readonly log: Log
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export interface DeskAsk {
  readonly authorization: string | undefined
  readonly body: Uint8Array
}

export interface DeskAnswer {
  readonly status: number
  readonly body: JsonObject
}

/** Takes events and operators' wishes, over whatever server hands them in. */
export interface Desk {
  /** By method and path, such as `POST /v1/respond/falco`. They never reject. */
  readonly routes: Readonly<Record<string, (ask: DeskAsk) => Promise<DeskAnswer>>>
  /** What the guard itself found. Never rejects. */
  take(wish: { readonly aim: Aim; readonly by: string; readonly forMs: number }): Promise<void>
}

/** Bytes of a request to any of the paths: falcosidekick's events are a few KB. */
export const MAX_DESK_BODY = 65_536

export const desk = (options: DeskOptions): Desk => {
  const { meter, log, tokenFile, operatorTokenFile } = options
  const guarded =
    (file: string, handle: (ask: DeskAsk) => Promise<DeskAnswer>, refused: () => void) =>
    async (ask: DeskAsk): Promise<DeskAnswer> => {
      try {
        if (await isBearerOf(file, ask.authorization)) return await handle(ask)
        refused()
        return told(401, 'send the secret as authorization: Bearer SECRET')
      } catch (cause) {
        log.error('respond_failed', { cause: cause as Error })
        return told(503, 'it could not be done; the log says more')
      }
    }
  const webhooks = webhook(options)
  const count = (): void => meter.add('postern_respond_webhooks_total', 1, 'refused')
  const guessed = onceAMinute((refused) => log.warn('operator_secret_refused', { refused }))
  return {
    routes: {
      ...(tokenFile !== undefined && { 'POST /v1/respond/falco': guarded(tokenFile, webhooks, count) }),
      ...(operatorTokenFile !== undefined && {
        'GET /v1/respond/orders': guarded(operatorTokenFile, () => list(options), guessed),
        'POST /v1/respond/orders': guarded(operatorTokenFile, (ask) => order(ask, options), guessed),
        'POST /v1/respond/undo': guarded(operatorTokenFile, (ask) => takeBack(ask, options), guessed),
      }),
    },
    take: async (wish) => {
      await ask({ ...wish, event: '', operator: false }, options).catch((cause: unknown) =>
        log.error('respond_failed', { cause: cause as Error }),
      )
    },
  }
}

interface Wanted {
  readonly aim: Aim
  readonly by: string
  readonly event: string
  readonly forMs: number
  readonly operator: boolean
}

interface Result {
  readonly result: Issued | 'unknown'
  readonly id?: string
  /** Milliseconds since the epoch: when the order ends by itself. */
  readonly until?: number
}

const ask = async ({ aim, ...wanted }: Wanted, options: DeskOptions): Promise<Result> => {
  const { store, bounds, meter, log, now = Date.now } = options
  const count = (result: string): void => meter.add('postern_respond_orders_total', 1, aim.kind, result)
  try {
    const target = await options.targetOf(aim)
    if (target === undefined) {
      count('unknown')
      return { result: 'unknown' }
    }
    const result = await store.change((orders) =>
      issue(orders, { target, ...wanted }, { bounds, now: now() }),
    )
    // Beginnings are counted where they take effect.
    if (result.result !== 'began' && result.result !== 'extended') {
      count(result.result)
      if (result.result !== 'known' && result.result !== 'repeated')
        log.warn('response_not_given', { kind: aim.kind, by: wanted.by, why: result.result })
    }
    return result
  } catch (cause) {
    count('failed')
    throw cause
  }
}

const webhook = (options: DeskOptions) => {
  const { rules, maxAgeMs, meter, now = Date.now } = options
  const seen = seenEvents({ keptMs: 2 * maxAgeMs, max: 10_000 })
  return async ({ body }: DeskAsk): Promise<DeskAnswer> => {
    const answer = (status: number, result: string, what: JsonObject = {}): DeskAnswer => {
      meter.add('postern_respond_webhooks_total', 1, result)
      return { status, body: { result, ...what } }
    }
    const event = readFalcoEvent(body)
    if (event === undefined) return answer(400, 'invalid')
    if (Math.abs(now() - event.time) > maxAgeMs) return answer(400, 'stale')
    const wishes = wishesFor(event, rules)
    if (wishes.length === 0) return answer(200, 'unmatched')
    const fresh = seen.take(event.uuid)
    if (fresh === 'repeated') return answer(200, 'repeated')
    if (fresh === 'full') return answer(503, 'full')
    try {
      const orders: JsonObject[] = []
      for (const wish of wishes) {
        const { result, id = '' } = await ask({ ...wish, operator: false }, options)
        orders.push({ kind: wish.aim.kind, result, id })
      }
      return answer(200, 'taken', { orders })
    } catch (error) {
      // Then the same event may come again.
      seen.forget(event.uuid)
      answer(503, 'failed')
      throw error
    }
  }
}

const list = ({ store, now = Date.now }: DeskOptions): Promise<DeskAnswer> => {
  const time = now()
  const iso = (at: number): string => new Date(at).toISOString()
  const orders = store.current().map(({ since, until, ended, target, ...order }): JsonObject => ({
    ...order,
    target: JSON.parse(JSON.stringify(target)) as JsonObject,
    since: iso(since),
    until: iso(until),
    in_force: inForce({ until, ...(ended && { ended }) }, time),
    ...(ended && { ended: { at: iso(ended.at), by: ended.by } }),
  }))
  return Promise.resolve({ status: 200, body: { orders } })
}

const SMALL = { depth: 4, nodes: 64, keys: 32 }
const NAME = /^[A-Za-z0-9][A-Za-z0-9@._:-]{0,127}$/

const fieldsOf = ({ body }: DeskAsk): JsonObject => {
  try {
    const read = readJson(body, SMALL)
    return isObject(read) ? read : {}
  } catch {
    return {}
  }
}

const takeBack = async (asked: DeskAsk, { store, now = Date.now }: DeskOptions): Promise<DeskAnswer> => {
  const { id, by } = fieldsOf(asked)
  if (typeof id !== 'string' || typeof by !== 'string' || !NAME.test(by))
    return told(400, 'send {"id": ORDER, "by": YOUR NAME}')
  const done = await store.change((orders) => undo(orders, id, { by: `operator:${by}`, now: now() }))
  return done ? { status: 200, body: { undone: id } } : told(404, 'no such order is in force')
}

const order = async (asked: DeskAsk, options: DeskOptions): Promise<DeskAnswer> => {
  const { by, seconds, ...what } = fieldsOf(asked)
  const aim = aimIn(what)
  if (aim === undefined || typeof by !== 'string' || !NAME.test(by) || !isSpan(seconds))
    return told(
      400,
      'send {"by": YOUR NAME, "seconds": N, "kind": "revoke", "subject", "tenant", "via"}, or "tighten" with "overlay", or "quarantine", at a controller with "namespace" and "pod"',
    )
  const wanted = { aim, by: `operator:${by}`, event: '', forMs: seconds * 1000, operator: true }
  const { result, id = '', until } = await ask(wanted, options)
  const good = result === 'began' || result === 'extended' || result === 'known'
  const end = until !== undefined && { until: new Date(until).toISOString() }
  return { status: good ? 200 : 409, body: { result, id, ...end } }
}

const isSpan = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= 366 * 86_400

const aimIn = ({ kind, subject, tenant, via, overlay, namespace, pod }: JsonObject): Aim | undefined => {
  const isText = (value: unknown): value is string =>
    typeof value === 'string' && value !== '' && value.length <= 256
  switch (kind) {
    case 'revoke':
      return isText(subject) && isText(tenant) && isText(via)
        ? { kind, caller: { subject, tenant, via } }
        : undefined
    case 'tighten':
      return isText(overlay) ? { kind, overlay } : undefined
    case 'quarantine':
      // A guard alone is asked for itself; no pod has an empty name.
      if (namespace === undefined && pod === undefined) return { kind, namespace: '', pod: '' }
      return isText(namespace) && isText(pod) ? { kind, namespace, pod } : undefined
    default:
      return undefined
  }
}

const told = (status: number, error: string): DeskAnswer => ({ status, body: { error } })

/** Says how often, at the first time and then at most once a minute: whoever guesses must not fill the log. */
const onceAMinute = (say: (times: number) => void): (() => void) => {
  let times = 0
  let said = -Infinity
  return () => {
    times += 1
    if (performance.now() - said < 60_000) return
    say(times)
    times = 0
    said = performance.now()
  }
}

const MIN_SECRET = 16
const MAX_SECRET = 4096

/** Compared by digests of one length, in a time that tells nothing. Throws Error when the file holds no good secret. */
const isBearerOf = async (file: string, authorization: string | undefined): Promise<boolean> => {
  const secret = (await readFile(file, 'utf8')).trim()
  if (secret.length < MIN_SECRET || secret.length > MAX_SECRET)
    throw new Error(`${file}: must hold ${MIN_SECRET} to ${MAX_SECRET} characters, at random`)
  if (authorization === undefined || authorization.length > MAX_SECRET + 7) return false
  return timingSafeEqual(
    hash('sha256', authorization, 'buffer'),
    hash('sha256', `Bearer ${secret}`, 'buffer'),
  )
}
