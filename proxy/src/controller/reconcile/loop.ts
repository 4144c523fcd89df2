import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Leader } from '../leader.ts'
import { backoff } from '../kube/backoff.ts'

export interface LoopOptions {
  /** Short and constant: it labels a metric. */
  readonly name: string
  readonly leader: Leader
  /** Whether all that is read has been read once; nothing is done before. */
  readonly synced: () => boolean
  /** Makes the cluster as it should be. Throws Error to be called again after a growing pause. */
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Milliseconds without a change after which it works all the same; ten minutes when absent. */
  readonly resyncMs?: number
  readonly log: Log
  readonly meter: Meter
}

export interface Loop {
  /** Something may have changed: `work` is called soon, once for many. */
  readonly trigger: () => void
  /** Aborts the work in progress and waits for its end. */
  close(): Promise<void>
}

/** Milliseconds in which changes are gathered. */
const SETTLE_MS = 100
const RESYNC_MS = 600_000

/** Calls `work` after changes and now and then, one call at a time, while this replica leads. */
export const startLoop = (options: LoopOptions): Loop => {
  const { name, leader, synced, work, resyncMs = RESYNC_MS, log, meter } = options
  const ending = new AbortController()
  const ended = (): boolean => ending.signal.aborted
  const wait = backoff()
  let wake: () => void = () => undefined
  let due = false

  const trigger = (): void => {
    due = true
    wake()
  }
  const change = async (): Promise<void> => {
    if (due) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, resyncMs)
      timer.unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  const attempt = async (): Promise<void> => {
    try {
      await work(ending.signal)
      meter.add('postern_controller_reconciles_total', 1, name, 'ok')
      wait.reset()
    } catch (error) {
      if (ended()) return
      meter.add('postern_controller_reconciles_total', 1, name, 'failed')
      log.warn('reconcile_failed', {
        name,
        cause: error instanceof Error ? error : new Error(String(error)),
      })
      due = true
      await wait.pause(ending.signal)
    }
  }
  const run = async (): Promise<void> => {
    while (!ended()) {
      await change()
      await sleep(SETTLE_MS, undefined, { signal: ending.signal })
      due = false
      if (leader.leading() && synced()) await attempt()
    }
  }
  const stopListening = leader.onChange((leading) => {
    if (leading) trigger()
  })
  const running = run().catch(() => undefined)

  return {
    trigger,
    close: async () => {
      stopListening()
      ending.abort()
      wake()
      await running
    },
  }
}
