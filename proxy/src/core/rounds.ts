export interface RoundsOptions {
  /** One round; gives the milliseconds until the next. What it throws counts as a failure. */
  readonly round: (round: Round) => Promise<number>
  /** Told about each failure. Must not throw. */
  readonly failed: (cause: Error, failure: Failure) => void
  readonly retry: BackOff
}

export interface Round {
  /** Aborted by `close()`. */
  readonly signal: AbortSignal
  /** For a round that goes well for long before it ends in an error: failures are counted from here. */
  succeeded(): void
}

export interface Failure {
  /** In a row, this one included. */
  readonly failures: number
  /** Until the next round. */
  readonly retryMs: number
}

export interface BackOff {
  /** Milliseconds after the first failure; doubles with each further one. */
  readonly minMs: number
  readonly maxMs: number
}

export interface Rounds {
  /** The next round comes as soon as the present one is over. */
  wake(): void
  /** From now on waiting does not keep the process alive. */
  unref(): void
  /** Resolves when no round runs any more. */
  close(): Promise<void>
}

/** What a timer can hold; a longer wait ends early and the round looks again. */
const LONGEST_MS = 0x7fff_ffff

/** Does something again and again, one round at a time, with back-off after failures, until closed. */
export const rounds = ({ round, failed, retry }: RoundsOptions): Rounds => {
  const stopped = new AbortController()
  const { signal } = stopped
  const rest = pause()
  let failures = 0
  const succeeded = (): void => {
    failures = 0
  }
  const once = async (): Promise<number> => {
    try {
      const waitMs = await round({ signal, succeeded })
      succeeded()
      return waitMs
    } catch (cause) {
      if (signal.aborted) return 0
      failures += 1
      const retryMs = backOffMs(failures, retry)
      failed(cause instanceof Error ? cause : new Error(String(cause)), { failures, retryMs })
      return retryMs
    }
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) await rest.wait(await once())
  }
  const running = run()
  return {
    wake: () => rest.wake(),
    unref: () => rest.unref(),
    close: async () => {
      stopped.abort()
      rest.wake()
      await running
    },
  }
}

/** The jitter of a quarter keeps a fleet from asking at the same moment. */
const backOffMs = (failures: number, { minMs, maxMs }: BackOff): number =>
  Math.min(minMs * 2 ** Math.min(failures - 1, 30), maxMs) * (0.75 + Math.random() / 2)

interface Pause {
  wait(ms: number): Promise<void>
  wake(): void
  unref(): void
}

const pause = (): Pause => {
  let done: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  let woken = false
  let referenced = true
  const end = (): void => {
    clearTimeout(timer)
    done?.()
    done = undefined
  }
  return {
    wait: (ms) =>
      new Promise((resolve) => {
        done = resolve
        timer = setTimeout(end, woken ? 0 : Math.min(Math.max(ms, 0), LONGEST_MS))
        woken = false
        if (!referenced) timer.unref()
      }),
    wake: () => {
      if (done === undefined) woken = true
      end()
    },
    unref: () => {
      referenced = false
      timer?.unref()
    },
  }
}
