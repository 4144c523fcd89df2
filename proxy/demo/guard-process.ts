import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'

/** A guard as users start it, `postern serve`, in a process of its own. */
export interface GuardProcess {
  /** Settles when it has ended, with its exit code. */
  readonly ended: Promise<number | null>
  /** Asks it to end, and kills it 5 s later. */
  close(): Promise<void>
}

export const POSTERN = resolve(import.meta.dirname, '../src/cli.ts')
const READY_MS = 120_000 // a start takes a second; on a machine that is busy with other things, many
const END_MS = 5000

/** Starts one and waits until it is ready. Throws Error when it ends before, or is not ready within two minutes; then it is gone. */
export const startGuardProcess = async (configFile: string, adminUrl: string): Promise<GuardProcess> => {
  const child = spawn(process.execPath, [POSTERN, 'serve', configFile], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const close = async (): Promise<void> => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
    await ended
    clearTimeout(late)
  }
  try {
    await ready(child, adminUrl)
  } catch (error) {
    await close()
    throw error
  }
  return { ended, close }
}

const ready = async (child: ChildProcess, adminUrl: string): Promise<void> => {
  for (const until = Date.now() + READY_MS; Date.now() < until;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('the guard did not start; its message stands above')
    const status = await fetch(`${adminUrl}/readyz`).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`the guard was not ready within ${READY_MS / 1000} s`)
}
