import type { Log } from '../core/log.ts'
import type { BundleSource } from './reconcile/bundle-source.ts'
import type { Reconcilers } from './reconcile/start.ts'

export interface LateOptions {
  readonly start: () => Promise<Reconcilers>
  /** Between two tries, in milliseconds; 5000 when absent. */
  readonly retryMs?: number
  readonly log: Log
}

/**
 * Reconcilers that may come later: the webhook must answer while they cannot start. Not ready until they were once; afterwards what troubles them
 * is for their own log and metrics, because guards are better served an old bundle than no webhook.
 */
export const lateReconcilers = ({ start, retryMs = 5000, log }: LateOptions): Reconcilers => {
  const stopped = new AbortController()
  let there: Reconcilers | undefined
  let ready = false
  const arrived = new AbortController()
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        there = await start()
        arrived.abort()
        return
      } catch (cause) {
        log.error('reconcilers_not_started', { cause: cause as Error })
      }
      await pause(retryMs, stopped.signal)
    }
  }
  const running = run()
  const bundle: BundleSource = {
    current: () => there?.bundle.current(),
    changed: async (signal) => {
      if (there !== undefined) {
        await there.bundle.changed(signal)
        return
      }
      await aborted(AbortSignal.any([arrived.signal, signal]))
    },
  }
  return {
    bundle,
    unready: () => {
      if (ready) return undefined
      const reason = there === undefined ? 'the reconcilers have not started' : there.unready()
      ready = reason === undefined
      return reason
    },
    close: async () => {
      stopped.abort()
      await running
      await there?.close()
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const pause = (ms: number, signal: AbortSignal): Promise<void> => {
  const timeout = new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref()
  })
  return Promise.race([timeout, aborted(signal)])
}
