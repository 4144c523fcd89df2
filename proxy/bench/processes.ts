import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'

export interface Running {
  readonly child: ChildProcess
  /** Milliseconds from the start of the process to its first accepted connection. */
  readonly readyMs: number
  stop(): Promise<void>
}

export interface Start {
  readonly command: string
  readonly args: readonly string[]
  readonly port: number
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a server and waits until its port accepts. Throws with the tail of its output when it never does. */
export const start = async ({ command, args, port, env }: Start): Promise<Running> => {
  const begin = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  const keep = (bytes: Buffer): void => {
    output = (output + bytes.toString()).slice(-2000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() - begin > 30_000)
      throw new Error(`${command} did not start:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return {
    child,
    readyMs: performance.now() - begin,
    // Workers outlive a killed master and would keep the port.
    stop: () => {
      for (const pid of family(child.pid ?? 0)) process.kill(pid, 'SIGKILL')
      return exited
    },
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** Linux counts processor time in ticks of 10 ms. */
const TICK_US = 10_000

const family = (pid: number): readonly number[] => [
  pid,
  ...readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => parentOf(other) === pid),
]

const stat = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
  } catch {
    return []
  }
}

const parentOf = (pid: number): number => Number(stat(pid)[1] ?? -1)

/** Processor time of a process and its children so far, microseconds. */
export const cpuMicros = ({ child }: Running): number =>
  family(child.pid ?? 0).reduce((sum, pid) => {
    const fields = stat(pid)
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_US
  }, 0)

/** Resident memory of a process and its children, MiB. */
export const residentMiB = ({ child }: Running): number =>
  family(child.pid ?? 0).reduce((sum, pid) => {
    const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return sum + Number(kib ?? 0) / 1024
  }, 0)
