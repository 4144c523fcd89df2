import type { Log } from '../core/log.ts'
import type { Server } from './server.ts'

export interface LifecycleOptions {
  readonly server: Pick<Server, 'drain'>
  /** After the last exchange: closes audit, telemetry and the rest. */
  readonly onDrained: () => Promise<void>
  readonly exit: (code: number) => void
  readonly log: Log
  /** Where SIGTERM and SIGINT are listened for; the process unless a test says otherwise. */
  readonly signals?: Pick<NodeJS.Process, 'on' | 'off'>
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * The first signal drains and exits with 0, or with 1 when something could not be closed. The second exits at once
 * with 130. Returns the way to stop listening.
 */
export const lifecycle = ({
  server,
  onDrained,
  exit,
  log,
  signals = process,
}: LifecycleOptions): (() => void) => {
  let stopping = false
  const finish = async (): Promise<void> => {
    try {
      await server.drain()
      await onDrained()
      log.info('stopped')
      exit(0)
    } catch (cause) {
      log.error('stop_failed', { cause: cause instanceof Error ? cause : new Error(String(cause)) })
      exit(1)
    }
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info(stopping ? 'stopping_at_once' : 'draining', { signal })
    if (stopping) {
      exit(130)
      return
    }
    stopping = true
    void finish()
  }
  for (const signal of SIGNALS) signals.on(signal, onSignal)
  return () => {
    for (const signal of SIGNALS) signals.off(signal, onSignal)
  }
}
