import { randomUUID } from 'node:crypto'
import { open, readFile, stat, unlink, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { AuditFault, codeOf } from './fault.ts'

/** Only one guard writes a log. */
export interface Lock {
  /** Shows that the holder lives. Throws AuditFault when somebody else took the lock. Call about once a second. */
  beat(): Promise<void>
  release(): Promise<void>
}

interface Holder {
  readonly host: string
  readonly pid: number
  /** Start time of the process, so that a reused process id is not taken for the holder. Empty where it cannot be known. */
  readonly started: string
  readonly nonce: string
}

// A holder on another host shows that it lives by the file's time; 15 missed beats are no life.
const STALE_MS = 15_000

/**
 * Takes over from a holder that is dead: at once on the same host, after 15 s without a beat when it is on another.
 * Throws AuditFault when the log is in use.
 */
export const acquireLock = async (path: string): Promise<Lock> => {
  const me: Holder = {
    host: hostname(),
    pid: process.pid,
    started: await startOf(process.pid),
    nonce: randomUUID(),
  }
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await create(path, me)) {
      await mine(path, me)
      return { beat: () => beat(path, me), release: () => release(path, me) }
    }
    const holder = await read(path)
    if (holder !== undefined && (await lives(path, holder)))
      throw new AuditFault(
        `The audit log is in use by process ${holder.pid} on ${holder.host}. Give each guard its own log; if that guard is gone, delete ${path}.`,
      )
    await unlink(path).catch(() => undefined)
  }
  throw new AuditFault(`The audit lock ${path} is contended. Give each guard its own log.`)
}

const create = async (path: string, me: Holder): Promise<boolean> => {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.write(JSON.stringify(me))
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Undefined when it is gone or not readable as ours: a lock whose writing was cut short holds nothing. */
const read = async (path: string): Promise<Holder | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => '')
  const match =
    /^\{"host":"([^"]{0,255})","pid":(\d{1,10}),"started":"(\d{0,20})","nonce":"([-0-9a-f]{36})"\}$/.exec(
      text,
    )
  if (match === null) return undefined
  const [, host = '', pid = '', started = '', nonce = ''] = match
  return { host, pid: Number(pid), started, nonce }
}

const held = new Set<string>()

const lives = async (path: string, holder: Holder): Promise<boolean> => {
  if (held.has(holder.nonce)) return true
  if (holder.host !== hostname()) {
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }))
    return Math.abs(Date.now() - mtimeMs) < STALE_MS
  }
  // A restarted container often has the process id of the one before it.
  if (holder.pid === process.pid) return false
  return isRunning(holder.pid) && (holder.started === '' || holder.started === (await startOf(holder.pid)))
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot; the second field may hold blanks and parentheses. */
const startOf = async (pid: number): Promise<string> => {
  const line = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

const mine = async (path: string, me: Holder): Promise<void> => {
  if ((await read(path))?.nonce !== me.nonce)
    throw new AuditFault(`Another guard took the audit lock ${path}. Give each guard its own log.`)
  held.add(me.nonce)
}

const beat = async (path: string, me: Holder): Promise<void> => {
  await mine(path, me)
  const now = new Date()
  await utimes(path, now, now)
}

const release = async (path: string, me: Holder): Promise<void> => {
  held.delete(me.nonce)
  if ((await read(path))?.nonce === me.nonce) await unlink(path).catch(() => undefined)
}
