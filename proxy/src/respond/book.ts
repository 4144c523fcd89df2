import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { inForce, MAX_ORDERS, type CallerName, type Order, type Target } from '../core/orders.ts'

/** What automation may do at most: whoever can make events must not be able to stop everything with them. */
export interface Bounds {
  /** Orders of each kind in force at a time. */
  readonly active: Readonly<Record<Target['kind'], number>>
  /** New ones in a minute, of all kinds. */
  readonly perMinute: number
  /** Milliseconds that any order may hold. */
  readonly longestMs: number
  /** Never revoked. */
  readonly callers: readonly CallerName[]
  /** Namespaces whose pods are never quarantined. */
  readonly namespaces: readonly string[]
}

export interface Ask {
  readonly target: Target
  readonly by: string
  readonly event: string
  readonly forMs: number
  /** A person asked: then only what is protected counts. */
  readonly operator: boolean
}

export type Issued = 'began' | 'extended' | 'known' | 'repeated' | 'protected' | 'full' | 'throttled'

/** For so long an ended order is remembered, and with it the event that it came of. Longer than any event is taken. */
const REMEMBERED_MS = 3_600_000
/** Orders of events that come by the second are not written each time. */
const WORTH_WRITING_MS = 60_000
const MINUTE_MS = 60_000
/** Room that events cannot take: short orders, one after the other, must not keep an operator from giving one. */
const FOR_OPERATORS = 100

/** The orders with one more, or why not. An order about the same target is made longer, never shorter. */
export const issue = (
  orders: readonly Order[],
  ask: Ask,
  { bounds, now }: { readonly bounds: Bounds; readonly now: number },
): {
  readonly orders: readonly Order[]
  readonly told: { readonly result: Issued; readonly id?: string; readonly until?: number }
} => {
  const { target, by, event } = ask
  const refused = (result: Issued, order?: Order) => ({
    orders,
    told: { result, ...(order && { id: order.id, until: order.until }) },
  })
  if (isProtected(target, bounds)) return refused('protected')
  const until = now + Math.min(ask.forMs, bounds.longestMs)
  const same = orders.filter((order) => isDeepStrictEqual(order.target, target))
  const repeated = same.find((order) => event !== '' && order.event === event)
  if (repeated !== undefined) return refused('repeated', repeated)
  const known = same.find((order) => inForce(order, now))
  if (known !== undefined) {
    if (until < known.until + WORTH_WRITING_MS) return refused('known', known)
    const longer = orders.map((order) => (order === known ? { ...order, until } : order))
    return { orders: longer, told: { result: 'extended', id: known.id, until } }
  }
  const kept = orders.filter((order) => isRemembered(order, now))
  const active = kept.filter((order) => inForce(order, now) && order.target.kind === target.kind)
  if (kept.length >= (ask.operator ? MAX_ORDERS : MAX_ORDERS - FOR_OPERATORS)) return refused('full')
  if (!ask.operator && active.length >= bounds.active[target.kind]) return refused('full')
  if (
    !ask.operator &&
    kept.filter(({ since }) => Math.abs(now - since) < MINUTE_MS).length >= bounds.perMinute
  )
    return refused('throttled')
  const id = randomBytes(8).toString('hex')
  return {
    orders: [...kept, { id, target, by, event, since: now, until }],
    told: { result: 'began', id, until },
  }
}

/** The orders without that one in force; `told` is false when it was not. */
export const undo = (
  orders: readonly Order[],
  id: string,
  { by, now }: { readonly by: string; readonly now: number },
): { readonly orders: readonly Order[]; readonly told: boolean } => {
  const found = orders.find((order) => order.id === id && inForce(order, now))
  if (found === undefined) return { orders, told: false }
  return {
    orders: orders.map((order) => (order === found ? { ...order, ended: { at: now, by } } : order)),
    told: true,
  }
}

const isRemembered = ({ until, ended }: Order, now: number): boolean =>
  (ended?.at ?? until) > now - REMEMBERED_MS

/** Everybody without a credential is one caller: who revoked that would lock out all the others. */
const isProtected = (target: Target, { callers, namespaces }: Bounds): boolean => {
  switch (target.kind) {
    case 'revoke':
      return target.caller.via === 'anonymous' || callers.some((one) => isDeepStrictEqual(one, target.caller))
    case 'quarantine':
      return namespaces.includes(target.pod.namespace)
    case 'tighten':
      return false
  }
}
