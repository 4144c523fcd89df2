import type { ExchangeFacts } from '../core/behaviour.ts'
import type { Flag } from '../core/flag.ts'
import { bounded, learn, type Bounded } from './bounded.ts'
import { happened, newHistory, refusalBurst, type History } from './history.ts'
import { networkOf } from './names.ts'

export interface AnomalyOptions {
  /** Callers, addresses and roles whose past is kept, each; about 1 KB a caller at most, 0.5 KB the others. */
  readonly maxKeys: number
  /** Length of the intervals that are compared. */
  readonly intervalMs: number
  /** Exchanges of one caller or address in an interval that are never too many. */
  readonly leastRate: number
}

export type Kind = 'caller' | 'address' | 'role'

export interface Anomalies {
  seen(facts: ExchangeFacts): readonly Flag[]
  tracked(): Readonly<Record<Kind, Pick<Bounded<unknown>, 'size' | 'forgotten'>>>
}

/** Addresses remembered of one caller; the oldest goes. */
const MOST_ADDRESSES = 8
/** A caller's first exchanges are not news. */
const LEAST_KNOWN = 20
const MOST_ROLES = 8

interface Caller {
  readonly history: History
  readonly addresses: Set<string>
}

/** Rates and refusals of each caller, address and role against their own past, and new addresses of known callers. */
export const anomalies = (options: AnomalyOptions): Anomalies => {
  const callers = bounded<Caller>(options.maxKeys, () => ({ history: newHistory(), addresses: new Set() }))
  const addresses = bounded<History>(options.maxKeys, newHistory)
  const roles = bounded<History>(options.maxKeys, newHistory)
  return {
    seen: (facts) => {
      const flags: Flag[] = []
      const event = { at: facts.at, refused: facts.outcome === 'refused' }
      const address = networkOf(facts.client)
      const watch = (history: History, kind: Kind): void => {
        happened(history, event, { intervalMs: options.intervalMs, least: options.leastRate })
        judge(history, kind, flags)
      }
      watch(addresses.at(address), 'address')
      if (facts.caller === '') return flags
      const caller = callers.at(`${facts.tenant}\u0000${facts.caller}`)
      watch(caller.history, 'caller')
      if (learn(caller.addresses, address, MOST_ADDRESSES) && caller.history.total > LEAST_KNOWN)
        once(caller.history, 'address_new', flags)
      for (const role of facts.roles.slice(0, MOST_ROLES)) watch(roles.at(role), 'role')
      return flags
    },
    tracked: () => ({ caller: callers, address: addresses, role: roles }),
  }
}

const judge = (history: History, kind: Kind, flags: Flag[]): void => {
  if (history.count > history.limit) once(history, `rate_${kind}`, flags)
  if (refusalBurst(history)) once(history, `refusals_${kind}`, flags)
}

const BITS: Readonly<Partial<Record<Flag, number>>> = {
  rate_caller: 1,
  rate_address: 1,
  rate_role: 1,
  refusals_caller: 2,
  refusals_address: 2,
  refusals_role: 2,
  address_new: 4,
}

/** At most once in an interval: a flood must not become a flood of flags. */
const once = (history: History, flag: Flag, flags: Flag[]): void => {
  const bit = BITS[flag] ?? 0
  if ((history.raised & bit) !== 0) return
  history.raised |= bit
  flags.push(flag)
}
