import type { CallerName, Order } from '../core/orders.ts'
import { OUT_RULES } from './falco-out.ts'
import { PRIORITIES, type FalcoEvent, type Priority } from './falco.ts'

/** A target before it is known whether there is such a pod. */
export type Aim =
  | { readonly kind: 'revoke'; readonly caller: CallerName }
  | { readonly kind: 'tighten'; readonly overlay: string }
  | { readonly kind: 'quarantine'; readonly namespace: string; readonly pod: string }

/** Which events a rule is for: all that is given must hold. */
export interface EventMatch {
  /** Names of Falco rules; any of them. */
  readonly rules?: readonly string[]
  /** At least as grave. */
  readonly priority?: Priority
  /** All of them. */
  readonly tags?: readonly string[]
  /** `syscall`, `k8s_audit`, `postern` and so on; any of them. */
  readonly sources?: readonly string[]
  /** Any of them. */
  readonly hostnames?: readonly string[]
}

export interface RespondRule {
  readonly name: string
  readonly match: EventMatch
  readonly respond: Order['target']['kind']
  /** For `revoke`: this one. Absent: the caller that the event names, which only events of guards do. */
  readonly caller?: CallerName
  /** For `tighten`. */
  readonly overlay?: string
  /** Milliseconds. */
  readonly forMs: number
}

/** What one rule makes of one event. */
export interface Wish {
  readonly aim: Aim
  readonly by: string
  readonly event: string
  readonly forMs: number
}

/**
 * What the rules want done about the event; each target once. Nothing about events that tell of a response: they come back through
 * falcosidekick, and a rule for all events of guards would give again what an operator has just undone.
 */
export const wishesFor = (event: FalcoEvent, rules: readonly RespondRule[]): readonly Wish[] => {
  if (event.rule === OUT_RULES.response) return []
  const wishes = new Map<string, Wish>()
  for (const rule of rules) {
    if (!matches(event, rule.match)) continue
    const aim = aimOf(event, rule)
    if (aim === undefined) continue
    const key = JSON.stringify(aim)
    const known = wishes.get(key)
    if (known === undefined || known.forMs < rule.forMs)
      wishes.set(key, { aim, by: `falco:${event.rule}`.slice(0, 256), event: event.uuid, forMs: rule.forMs })
  }
  return [...wishes.values()]
}

const matches = (event: FalcoEvent, { rules, priority, tags, sources, hostnames }: EventMatch): boolean =>
  (rules?.includes(event.rule) ?? true) &&
  (priority === undefined || PRIORITIES.indexOf(event.priority) <= PRIORITIES.indexOf(priority)) &&
  (tags?.every((tag) => event.tags.includes(tag)) ?? true) &&
  (sources?.includes(event.source) ?? true) &&
  (hostnames?.includes(event.hostname) ?? true)

const aimOf = (event: FalcoEvent, { respond, caller, overlay }: RespondRule): Aim | undefined => {
  const field = (name: string): string => event.fields.get(name) ?? ''
  switch (respond) {
    case 'revoke': {
      const named = caller ?? (event.source === 'postern' ? namedIn(field) : undefined)
      return named && { kind: 'revoke', caller: named }
    }
    case 'tighten':
      return { kind: 'tighten', overlay: overlay ?? '' }
    case 'quarantine':
      return { kind: 'quarantine', namespace: field('k8s.ns.name'), pod: field('k8s.pod.name') }
  }
}

const namedIn = (field: (name: string) => string): CallerName | undefined => {
  const [subject, tenant, via] = [field('postern.subject'), field('postern.tenant'), field('postern.via')]
  return subject === '' || tenant === '' || via === '' ? undefined : { subject, tenant, via }
}
