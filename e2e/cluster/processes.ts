import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface StartOptions {
  /** Takes stdout and stderr. */
  readonly log: string
  /** `owner`: the kernel ends the process when this one ends, however that happens. `none`: it stays. */
  readonly life: 'owner' | 'none'
}

const SETPRIV = '/usr/bin/setpriv'

/** Starts a program in the background. Throws when it cannot be started at all. */
export const start = (command: readonly string[], options: StartOptions): ChildProcess => {
  const tied = options.life === 'owner' && existsSync(SETPRIV)
  const [program = '', ...rest] = tied ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...command] : command
  const log = openSync(options.log, 'a')
  const child = spawn(program, rest, { stdio: ['ignore', log, log], detached: options.life === 'none' })
  closeSync(log)
  child.on('error', () => undefined)
  child.unref()
  if (options.life === 'owner') process.once('exit', () => child.kill('SIGKILL'))
  return child
}

/** Tries until `attempt` does not throw, and gives its answer. Throws its last error after `seconds`. */
export const eventually = async <T>(
  attempt: () => Promise<T>,
  seconds: number,
  pauseMs = 100,
): Promise<T> => {
  for (const until = performance.now() + seconds * 1000; ;) {
    try {
      return await attempt()
    } catch (cause) {
      if (performance.now() > until) throw cause
      await sleep(pauseMs)
    }
  }
}

/** The end of a log, for an error message. */
export const tail = (log: string, lines = 20): string =>
  existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : ''
