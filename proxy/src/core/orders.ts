import type { Caller } from './caller.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { readJson } from './strict-json.ts'

/** Who a caller is whatever roles it has: `via` names the issuer or the kind of key that vouched for the subject. */
export type CallerName = Pick<Caller, 'subject' | 'tenant' | 'via'>

export interface PodName {
  readonly namespace: string
  readonly name: string
  /** So that a later pod of that name is left alone; empty for a guard that is in no pod. */
  readonly uid: string
}

/** What is done about a threat, and to whom. */
export type Target =
  | { readonly kind: 'revoke'; readonly caller: CallerName }
  | { readonly kind: 'tighten'; readonly overlay: string }
  | { readonly kind: 'quarantine'; readonly pod: PodName }

/** A response that is in force from `since` until `until`, or until it is undone. */
export interface Order {
  /** 16 hex digits. */
  readonly id: string
  readonly target: Target
  /** What gave it: `falco:RULE`, `refusals` or `operator:NAME`. */
  readonly by: string
  /** `uuid` of the event behind it; empty when there is none. */
  readonly event: string
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly until: number
  /** It holds no more. Remembered for a while, so that the same event does not bring it back. */
  readonly ended?: { readonly at: number; readonly by: string }
}

/** Orders that outlive the process. */
export interface OrderStore {
  /** As last known, ended ones included. */
  current(): readonly Order[]
  /** Undefined once they are known, else why not, for `/readyz`. */
  unready(): string | undefined
  /** Applies the edit to what is stored now. Resolves when the result is stored; rejects when it cannot be. */
  change<Told>(edit: OrderEdit<Told>): Promise<Told>
  /** After each change, by whomever. */
  onChange(listener: () => void): void
  close(): Promise<void>
}

/** Pure, because it is done again when somebody else wrote meanwhile. The same array means that nothing changes. */
export type OrderEdit<Told> = (orders: readonly Order[]) => {
  readonly orders: readonly Order[]
  readonly told: Told
}

/** Orders that one store holds at most, ended ones included: together below 1 MB. */
export const MAX_ORDERS = 1000

/**
 * Whenever it began: a clock that was set back, or another machine's that is ahead, must not let in whom an order keeps out.
 */
export const inForce = ({ until, ended }: Pick<Order, 'until' | 'ended'>, now: number): boolean =>
  ended === undefined && until > now

const LIMITS = { depth: 6, nodes: 20 * MAX_ORDERS, keys: 20 * MAX_ORDERS }

/** Reads `{"v":1,"orders":[...]}`. Throws Error that says what is wrong: half of the orders would be too few. */
export const readOrders = (bytes: Uint8Array): readonly Order[] => {
  const read = readJson(bytes, LIMITS)
  const orders = isObject(read) && read['v'] === 1 ? read['orders'] : undefined
  if (!Array.isArray(orders) || orders.length > MAX_ORDERS) throw new Error('this is no list of orders')
  return orders.map((one: Json, index) => {
    const order = isObject(one) ? orderOf(one) : undefined
    if (order === undefined) throw new Error(`order ${index + 1} is malformed`)
    return order
  })
}

export const writeOrders = (orders: readonly Order[]): string => `${JSON.stringify({ v: 1, orders })}\n`

const orderOf = ({ id, target, by, event, since, until, ended }: JsonObject): Order | undefined => {
  const aim = isObject(target) ? targetOf(target) : undefined
  if (aim === undefined || !isText(id) || !isText(by) || !isText(event)) return undefined
  if (!/^[0-9a-f]{16}$/.test(id) || !isTime(since) || !isTime(until)) return undefined
  const order = { id, target: aim, by, event, since, until }
  if (ended === undefined) return order
  if (!isObject(ended)) return undefined
  const { at, by: ender } = ended
  return isTime(at) && isText(ender) ? { ...order, ended: { at, by: ender } } : undefined
}

const targetOf = ({ kind, caller, overlay, pod }: JsonObject): Target | undefined => {
  switch (kind) {
    case 'revoke': {
      if (!isObject(caller)) return undefined
      const { subject, tenant, via } = caller
      return isText(subject) && isText(tenant) && isText(via)
        ? { kind, caller: { subject, tenant, via } }
        : undefined
    }
    case 'tighten':
      return isText(overlay) ? { kind, overlay } : undefined
    case 'quarantine': {
      if (!isObject(pod)) return undefined
      const { namespace, name, uid } = pod
      return isText(namespace) && isText(name) && isText(uid)
        ? { kind, pod: { namespace, name, uid } }
        : undefined
    }
    default:
      return undefined
  }
}

const isText = (value: Json | undefined): value is string => typeof value === 'string' && value.length <= 256
const isTime = (value: Json | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
