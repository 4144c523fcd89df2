import type { V1Lease } from '@kubernetes/client-node'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Leader } from '../leader.ts'
import { leaseClient, type LeaseOptions } from './lease.ts'

export interface ElectionOptions extends LeaseOptions {
  /** How long after a renewal this one may write; less than leaseMs. */
  readonly renewMs: number
  readonly retryMs: number
  readonly log: Log
  readonly meter: Meter
}

export interface Election extends Leader {
  /** Lets another one lead at once. What writes must have ended. */
  close(): Promise<void>
}

/** What another holder wrote last, and when we saw it first: its own clock is never compared with ours. */
interface Observed {
  readonly mark: string
  readonly at: number
}

/**
 * One of several replicas by a Lease, as client-go does it. Between two that see the same Lease never both lead: the holder stops
 * renewMs after it *began* its last good renewal, the others begin leaseMs after they *saw* it.
 */
export const electLeader = (options: ElectionOptions): Election => {
  const { renewMs, retryMs, log } = options
  const lease = leaseClient(options)
  const term = termOf(options)
  let failing = false
  let observed: Observed | undefined
  const stopped = new AbortController()

  const tryOnce = async (): Promise<void> => {
    const began = performance.now()
    const current = await lease.read()
    // The client hands the time on as text or as a Date, by version.
    const mark = JSON.stringify([current?.spec?.holderIdentity, current?.spec?.renewTime])
    if (mark !== observed?.mark) observed = { mark, at: performance.now() }
    if (!mayTake(current, observed.at, options)) term.end()
    else if (await lease.write(current)) term.extend(began + renewMs)
  }
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await tryOnce()
        failing = false
      } catch (error) {
        if (!failing) log.warn('lease_failed', { why: (error as Error).message })
        failing = true
      }
      await pause(retryMs * (1 + Math.random() / 5), stopped.signal)
    }
  }
  const running = loop()
  return {
    leading: () => term.leading(),
    onChange: (listener) => term.onChange(listener),
    close: async () => {
      stopped.abort()
      await running
      const held = term.leading()
      term.end()
      if (held) await lease.release().catch(() => undefined)
    },
  }
}

interface Term extends Leader {
  /** Until then, by performance.now(). */
  extend(until: number): void
  end(): void
}

/** Ends by itself, and tells so. */
const termOf = ({ lease, log, meter }: ElectionOptions): Term => {
  const listeners = new Set<(leading: boolean) => void>()
  let until = 0
  let told = false
  let timer: NodeJS.Timeout | undefined
  const leading = (): boolean => performance.now() < until
  const tell = (): void => {
    const is = leading()
    if (is === told) return
    told = is
    log.info(is ? 'leading' : 'following')
    meter.set('postern_controller_leader', is ? 1 : 0, lease)
    for (const listener of listeners) listener(is)
  }
  const setEnd = (next: number): void => {
    until = next
    clearTimeout(timer)
    if (leading()) timer = setTimeout(tell, until - performance.now() + 1)
    tell()
  }
  meter.set('postern_controller_leader', 0, lease)
  return {
    leading,
    onChange: (listener) => {
      listeners.add(listener)
      if (told) listener(true)
      return () => listeners.delete(listener)
    },
    extend: setEnd,
    end: () => setEnd(0),
  }
}

const mayTake = (
  lease: V1Lease | undefined,
  seenAt: number,
  { identity, leaseMs }: ElectionOptions,
): boolean => {
  const holder = lease?.spec?.holderIdentity ?? ''
  if (holder === '' || holder === identity) return true
  // Another version may have longer leases than ours.
  const theirs = (lease?.spec?.leaseDurationSeconds ?? 0) * 1000
  return performance.now() - seenAt > Math.max(leaseMs, theirs)
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
