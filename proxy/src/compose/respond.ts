import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { Config } from '../config/schema.ts'
import type { AuditLog, ResponseLog } from '../core/audit.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Order, OrderStore, Target } from '../core/orders.ts'
import type { PolicyEngine } from '../core/policy.ts'
import { desk, type Desk } from '../respond/desk.ts'
import { followOrders } from '../respond/follow.ts'
import { gate, type Gate } from '../respond/gate.ts'
import { deskOverHttp } from '../respond/http.ts'
import { orderFile } from '../respond/order-file.ts'
import { refusalRate } from '../respond/refusal-rate.ts'
import type { Aim, RespondRule } from '../respond/rules.ts'
import { standing } from '../respond/standing.ts'
import { STRICTEST, tightened, type NamedOverlay, type Overlay } from '../respond/tighten.ts'
import { teller, type Teller } from './event-sink.ts'
import { given } from './given.ts'

/** What responds to threats at this guard. */
export interface Responder {
  readonly gate: Gate
  /** Under the overlays in force. */
  policy(engine: PolicyEngine): PolicyEngine
  /** The same log, whose records are looked at as well. */
  watching(audit: AuditLog): AuditLog
  /** `/v1/respond/` of the admin port. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): Promise<void>
}

type Respond = NonNullable<Config['respond']>

export interface RespondParts {
  readonly audit: ResponseLog
  readonly meter: Meter
  readonly log: Log
}

/** Undefined where nothing is configured. Throws Error that says what to do. */
export const composeRespond = async (
  { respond }: Config,
  parts: RespondParts,
): Promise<Responder | undefined> => {
  if (respond === undefined) return undefined
  const { meter, log } = parts
  const own = await orderFile({ path: respond.store, log })
  const followed = respond.controller && (await follow(respond.controller, parts))
  const sink = respond.events && teller(respond.events, parts)
  const barrier = gate({ unready: () => followed?.unready(), meter })
  let overlays: readonly NamedOverlay[] = []
  const force = standing({
    stores: followed === undefined ? [own] : [own, followed],
    audit: parts.audit,
    onStep: (order, step) => {
      // Those of the controller it tells itself, once for all guards.
      if (own.current().some(({ id }) => id === order.id)) sink?.order(order, step)
    },
    onChange: (orders) => {
      overlays = overlaysIn(orders, respond.overlays)
      barrier.apply(orders)
    },
    meter,
    log,
  })
  const reception = deskOf(respond, own, parts)
  const seen = watcher(respond, { reception, sink, meter })
  return {
    gate: barrier,
    policy: (engine) => tightened(engine, () => overlays),
    watching: (audit) => ({
      begin: (entry) => audit.begin(entry),
      end: (record) => {
        seen(record)
        return audit.end(record)
      },
      unready: () => audit.unready(),
      close: () => audit.close(),
    }),
    handle: deskOverHttp(reception.routes),
    close: async () => {
      force.close()
      await followed?.close()
      await own.close()
      await sink?.close()
    },
  }
}

const follow = (
  { url, ...rest }: NonNullable<Respond['controller']>,
  { meter, log }: RespondParts,
): Promise<OrderStore> =>
  followOrders({ ...given(rest), url: new URL('/v1/respond/active', url), meter, log })

const deskOf = (respond: Respond, store: OrderStore, { meter, log }: RespondParts): Desk => {
  const { limits, tokenFile, operatorTokenFile, maxAgeMs } = respond
  return desk({
    store,
    rules: respond.rules.map((rule): RespondRule => rule),
    bounds: {
      active: { revoke: limits.revocations, tighten: limits.overlays, quarantine: 1 },
      perMinute: limits.perMinute,
      longestMs: limits.longestMs,
      callers: respond.protected,
      namespaces: [],
    },
    ...given({ tokenFile, operatorTokenFile }),
    maxAgeMs,
    targetOf: (aim) => Promise.resolve(targetHere(aim)),
    meter,
    log,
  })
}

/** A guard can only quarantine itself: pods are the controller's. */
const targetHere = (aim: Aim): Target =>
  aim.kind === 'quarantine' ? { kind: 'quarantine', pod: { namespace: '', name: hostname(), uid: '' } } : aim

interface Seers {
  readonly reception: Desk
  readonly sink: Teller | undefined
  readonly meter: Meter
}

const watcher = (
  { refusals }: Respond,
  { reception, sink, meter }: Seers,
): ((record: Parameters<AuditLog['end']>[0]) => void) => {
  const rate =
    refusals &&
    refusalRate({
      ...refusals,
      onOver: ({ subject, tenant, via }, count) => {
        const caller = { subject, tenant, via }
        sink?.rate(caller, count)
        const { respond, overlay = '', forMs } = refusals
        if (respond === 'event') return
        const aim: Aim = respond === 'revoke' ? { kind: 'revoke', caller } : { kind: 'tighten', overlay }
        void reception.take({ aim, by: 'refusals', forMs })
      },
      meter,
    })
  return (record) => {
    rate?.(record)
    sink?.exchange(record)
  }
}

const overlaysIn = (orders: readonly Order[], configured: Respond['overlays']): readonly NamedOverlay[] => {
  const names = orders.flatMap(({ target }) => (target.kind === 'tighten' ? [target.overlay] : []))
  return [...new Set(names)].sort().map((name) => ({ name, ...overlayOf(configured, name) }))
}

const overlayOf = (configured: Respond['overlays'], name: string): Overlay => {
  const found = Object.hasOwn(configured, name) ? configured[name] : undefined
  if (found === undefined) return STRICTEST
  const { default: most, categories = {}, rules, ...rest } = found
  return { ...rest, actions: { ...given({ default: most }), categories, rules } }
}
