import type { AuditResponse, ResponseLog } from '../core/audit.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { inForce, type Order, type OrderStore, type Target } from '../core/orders.ts'

export interface StandingOptions {
  readonly stores: readonly Pick<OrderStore, 'current' | 'onChange'>[]
  readonly audit: ResponseLog
  /** After each change of what is in force. Must not throw. */
  readonly onStep?: (order: Order, step: AuditResponse['step']) => void
  readonly onChange: (inForce: readonly Order[]) => void
  /** Beginnings before that are not written again, by stores that are read after the start: milliseconds since the epoch. None when absent. */
  readonly writtenBefore?: number
  readonly meter: Meter
  readonly log: Log
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export interface Standing {
  /** All that holds now. */
  list(): readonly Order[]
  close(): void
}

const KINDS: readonly Target['kind'][] = ['revoke', 'tighten', 'quarantine']
/** An order that ends later is looked at again: what a timer can hold is less, and clocks are set. */
const LOOK_MS = 60_000

/**
 * Which orders of all stores are in force, by the clock as well. Every beginning and end is written to the audit log, by whichever
 * process lives under it. Those in force at the start are taken as they are: their beginning was written when they began.
 */
export const standing = (options: StandingOptions): Standing => {
  const { stores, meter, log, writtenBefore = 0, now = Date.now } = options
  let known = new Map<string, Order>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const tell = (order: Order, step: AuditResponse['step']): void => {
    const entry = entryOf(order, step)
    options.audit
      .respond(entry)
      .catch((cause: unknown) =>
        log.error('response_not_recorded', { order: order.id, cause: cause as Error }),
      )
    meter.add('postern_respond_orders_total', 1, entry.kind, step)
    log.warn(`response_${step}`, { order: entry.order, kind: entry.kind, by: entry.by, until: entry.until })
    options.onStep?.(order, step)
  }
  const look = (first: boolean): void => {
    clearTimeout(timer)
    const time = now()
    const all = new Map(stores.flatMap((store) => store.current()).map((order) => [order.id, order]))
    const next = new Map([...all].filter(([, order]) => inForce(order, time)))
    const before = known
    known = next
    options.onChange([...next.values()])
    if (!first)
      for (const [order, step] of steps(before, { next, all, time, writtenBefore })) tell(order, step)
    for (const kind of KINDS)
      meter.set(
        'postern_respond_active',
        [...next.values()].filter(({ target }) => target.kind === kind).length,
        kind,
      )
    if (closed) return
    const soonest = Math.min(LOOK_MS, ...[...next.values()].map(({ until }) => until - time))
    timer = setTimeout(() => look(false), Math.max(1, soonest))
    timer.unref()
  }
  for (const store of stores) store.onChange(() => look(false))
  look(true)
  return {
    list: () => [...known.values()].filter((order) => inForce(order, now())),
    close: () => {
      closed = true
      clearTimeout(timer)
    },
  }
}

interface After {
  readonly next: ReadonlyMap<string, Order>
  readonly all: ReadonlyMap<string, Order>
  readonly time: number
  readonly writtenBefore: number
}

function* steps(
  before: ReadonlyMap<string, Order>,
  { next, all, time, writtenBefore }: After,
): Iterable<[Order, AuditResponse['step']]> {
  for (const [id, order] of next) {
    const was = before.get(id)
    if (was === undefined) {
      if (order.since >= writtenBefore) yield [order, 'began']
    } else if (was.until < order.until) yield [order, 'extended']
  }
  for (const [id, was] of before) {
    if (next.has(id)) continue
    const order = all.get(id) ?? was
    yield [order, order.ended === undefined && order.until <= time ? 'lapsed' : 'undone']
  }
}

const entryOf = (order: Order, step: AuditResponse['step']): AuditResponse => ({
  order: order.id,
  kind: order.target.kind,
  step,
  target: targetOf(order.target),
  by: step === 'undone' ? (order.ended?.by ?? 'unknown') : step === 'lapsed' ? 'expiry' : order.by,
  event: order.event,
  until: new Date(order.until).toISOString(),
})

const targetOf = (target: Target): Readonly<Record<string, string>> => {
  switch (target.kind) {
    case 'revoke': {
      const { subject, tenant, via } = target.caller
      return { subject, tenant, via }
    }
    case 'tighten':
      return { overlay: target.overlay }
    case 'quarantine': {
      const { namespace, name, uid } = target.pod
      return { namespace, name, uid }
    }
  }
}
