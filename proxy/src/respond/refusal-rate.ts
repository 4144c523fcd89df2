import type { AuditRecord } from '../core/audit.ts'
import type { Caller } from '../core/caller.ts'
import type { Meter } from '../core/metrics.ts'

export interface RefusalRateOptions {
  /** Refusals in a minute from which on a caller counts as attacking. */
  readonly perMinute: number
  /** Callers counted at a time; the one that was quiet for longest makes room. About 300 bytes each. */
  readonly maxCallers: number
  /** Told once a minute for a caller that is over. Must not throw. */
  readonly onOver: (caller: Caller, refusals: number) => void
  readonly meter: Meter
  /** Milliseconds, monotonic. */
  readonly now?: () => number
}

const MINUTE_MS = 60_000

interface Count {
  since: number
  refusals: number
}

/**
 * Counts what a caller itself did: requests of its own that policy refused or whose content was blocked. Not counted: answers of the
 * model (somebody else may have poisoned what it read), failures of the guard, limits, and callers without a credential, who are many
 * behind one name. Addresses count for nothing: behind one there may be an office.
 */
export const refusalRate = (options: RefusalRateOptions): ((record: AuditRecord) => void) => {
  const { perMinute, maxCallers, onOver, meter, now = () => performance.now() } = options
  const counts = new Map<string, Count>()
  return (record) => {
    const { caller } = record
    if (caller === null || caller.via === 'anonymous' || !isOwnDoing(record)) return
    const key = JSON.stringify([caller.tenant, caller.via, caller.subject])
    const time = now()
    const known = counts.get(key)
    const count = known !== undefined && time - known.since < MINUTE_MS ? known : { since: time, refusals: 0 }
    count.refusals += 1
    counts.delete(key)
    counts.set(key, count)
    const oldest = counts.size > maxCallers ? counts.keys().next().value : undefined
    if (oldest !== undefined) counts.delete(oldest)
    meter.set('postern_respond_callers', counts.size)
    if (count.refusals === perMinute) onOver(caller, count.refusals)
  }
}

const isOwnDoing = ({ outcome, reasons, decisions, findings }: AuditRecord): boolean => {
  // What a response refuses must not keep the response alive.
  if (outcome !== 'refused' || reasons.includes('caller_revoked')) return false
  return (
    decisions.some(({ stage, allow }) => stage === 'request' && !allow) ||
    (reasons.includes('content_blocked') &&
      findings.some(({ direction, action }) => direction === 'request' && action === 'block'))
  )
}
