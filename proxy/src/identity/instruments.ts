import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'

/** What every identifier is given beside its options. */
export interface Instruments {
  readonly meter: Meter
  readonly log: Log
  /** Milliseconds since the epoch; `Date.now` when absent. Decides about expiry only: intervals use the monotonic clock. */
  readonly now?: () => number
}
