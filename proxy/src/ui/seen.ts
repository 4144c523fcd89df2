import type { AuditRecord } from '../core/audit.ts'
import { hourCounters, type HourCounters } from './hour.ts'
import { decisionRing, type DecisionRing, type RingOptions } from './ring.ts'
import { summariser, type SummariserOptions } from './summarise.ts'

export interface Watch {
  /** For every record, before or after it is written. Takes a few microseconds and never throws. */
  seen(record: AuditRecord): void
  readonly decisions: DecisionRing
  readonly hour: HourCounters
}

/** What the page needs to remember of the traffic; lives as long as the process. */
export const watchDecisions = (options: RingOptions & SummariserOptions): Watch => {
  const summarise = summariser(options)
  const decisions = decisionRing(options)
  const hour = hourCounters()
  return {
    decisions,
    hour,
    seen: (record) => {
      try {
        const decision = summarise(record)
        decisions.seen(decision)
        hour.seen(decision)
      } catch {
        // A picture for people must not break an exchange.
      }
    },
  }
}
