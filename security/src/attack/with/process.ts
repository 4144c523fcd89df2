import { spawn, type ChildProcess } from 'node:child_process'
import type { Started } from './tool.ts'

export interface Watched {
  readonly deadlineMs: number
  readonly stop: AbortSignal | undefined
  /** Called every second with the seconds since the start. */
  readonly onSecond: (seconds: number) => void
}

export interface Ended {
  /** `late`: the deadline came first. `stopped`: somebody ended the run. */
  readonly how: 'done' | 'late' | 'stopped'
  /** Exit code; -1 after a signal. */
  readonly code: number
  /** The last 8 KiB that it wrote, both streams. */
  readonly said: string
}

const MOST_SAID = 8 << 10
const GRACE_MS = 5000
/** Of our environment, what a program needs to start and to reach a network. The rest may hold credentials of others. */
const INHERITED = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TMPDIR',
  'TZ',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'NODE_EXTRA_CA_CERTS',
  'LD_LIBRARY_PATH',
]

/** Runs a program in a group of its own, and ends the whole group when it is late or stopped. Throws Error when it cannot be started. */
export const runWatched = ({ program, args, env }: Started, watched: Watched): Promise<Ended> =>
  new Promise((done, fail) => {
    const inherited = INHERITED.flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    )
    const child = spawn(program, args, {
      env: { ...(Object.fromEntries(inherited) as NodeJS.ProcessEnv), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let said = ''
    let killing: NodeJS.Timeout | undefined
    const outlived = (): void => signal(child, 'SIGKILL')
    process.once('exit', outlived)
    const hear = (chunk: Buffer): void => void (said = (said + chunk.toString('utf8')).slice(-MOST_SAID))
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    let how: Ended['how'] = 'done'
    const end = (why: Ended['how']): void => {
      if (how !== 'done') return
      how = why
      signal(child, 'SIGTERM')
      killing = setTimeout(() => signal(child, 'SIGKILL'), GRACE_MS)
    }
    const late = setTimeout(() => end('late'), watched.deadlineMs)
    const started = performance.now()
    const ticking = setInterval(
      () => watched.onSecond(Math.round((performance.now() - started) / 1000)),
      1000,
    )
    const stopped = (): void => end('stopped')
    if (watched.stop?.aborted === true) stopped()
    watched.stop?.addEventListener('abort', stopped)
    const settle = (): void => {
      process.removeListener('exit', outlived)
      clearTimeout(late)
      clearTimeout(killing)
      clearInterval(ticking)
      watched.stop?.removeEventListener('abort', stopped)
      // What it started and left behind.
      signal(child, 'SIGKILL')
    }
    child.once('error', (error) => {
      settle()
      fail(error)
    })
    child.once('exit', (code) => {
      settle()
      done({ how, code: code ?? -1, said })
    })
  })

const signal = ({ pid }: ChildProcess, name: NodeJS.Signals): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch {
    // The group is gone.
  }
}
