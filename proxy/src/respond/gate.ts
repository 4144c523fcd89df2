import type { Caller } from '../core/caller.ts'
import type { Received } from '../core/exchange.ts'
import type { Meter } from '../core/metrics.ts'
import type { Order } from '../core/orders.ts'
import { Refusal } from '../core/refusal.ts'

export interface GateOptions {
  /** Why it is not known yet what is in force; undefined when it is. */
  readonly unready: () => string | undefined
  readonly meter: Meter
}

/** Told why, for the record, before an exchange is refused or cut. */
type Told = (reason: 'caller_revoked' | 'quarantined') => void

/** Between callers and the pipeline: nobody who is revoked passes, and nobody at all while the guard is quarantined. */
export interface Gate {
  /** The same request, whose signal also aborts, with the Refusal as reason, when an order hits it. `leave` must follow. */
  enter(received: Received): Received
  /** Throws Refusal `guard_unavailable` when nobody may pass. */
  check(told: Told): void
  /** Throws Refusal `policy_denied` for a revoked caller. */
  identified(id: string, caller: Caller, told: Told): void
  leave(id: string): void
  /** What is in force from now on; cuts what runs and may run no more. */
  apply(orders: readonly Order[]): void
  /** Called when the guard comes into quarantine after this. */
  onQuarantine(listener: () => void): void
  /** Why no traffic should come; undefined when it should. */
  closed(): string | undefined
}

interface Running {
  readonly cut: AbortController
  /** Undefined until the caller is known. */
  caller: string | undefined
  told: Told | undefined
}

export const gate = ({ unready, meter }: GateOptions): Gate => {
  const running = new Map<string, Running>()
  let revoked: ReadonlySet<string> = new Set()
  let quarantined = false
  const listeners: (() => void)[] = []
  const refusal = (kind: 'revoke' | 'quarantine', told: Told | undefined): Refusal => {
    meter.add('postern_respond_refused_total', 1, kind)
    const reason = kind === 'revoke' ? 'caller_revoked' : 'quarantined'
    told?.(reason)
    return new Refusal(kind === 'revoke' ? 'policy_denied' : 'guard_unavailable', { details: [reason] })
  }
  const check = (told: Told): void => {
    if (quarantined) throw refusal('quarantine', told)
    const why = unready()
    if (why !== undefined) throw new Refusal('guard_unavailable', { cause: new Error(why) })
  }
  return {
    enter: (received) => {
      const cut = new AbortController()
      running.set(received.id, { cut, caller: undefined, told: undefined })
      return { ...received, signal: AbortSignal.any([received.signal, cut.signal]) }
    },
    check,
    identified: (id, caller, told) => {
      check(told)
      const key = keyOf(caller)
      if (revoked.has(key)) throw refusal('revoke', told)
      const one = running.get(id)
      if (one !== undefined) Object.assign(one, { caller: key, told })
    },
    leave: (id) => void running.delete(id),
    apply: (orders) => {
      revoked = new Set(
        orders.flatMap(({ target }) => (target.kind === 'revoke' ? [keyOf(target.caller)] : [])),
      )
      const before = quarantined
      quarantined = orders.some(({ target }) => target.kind === 'quarantine')
      for (const { cut, caller, told } of running.values()) {
        if (cut.signal.aborted) continue
        if (quarantined) cut.abort(refusal('quarantine', told))
        else if (caller !== undefined && revoked.has(caller)) cut.abort(refusal('revoke', told))
      }
      if (quarantined && !before) for (const listener of listeners) listener()
    },
    onQuarantine: (listener) => void listeners.push(listener),
    closed: () => (quarantined ? 'quarantined' : unready()),
  }
}

/** The parts cannot run into each other. */
const keyOf = ({ subject, tenant, via }: Pick<Caller, 'subject' | 'tenant' | 'via'>): string =>
  JSON.stringify([tenant, via, subject])
