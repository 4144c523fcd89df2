import { spawn, type ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'

export interface OpaRun {
  /** Path of the program. */
  readonly opa: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly signal: AbortSignal
}

export interface OpaResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const TIMEOUT_MS = 60_000
/** Bytes of memory in use. The base policies take 60 MiB; with the controller itself it must fit into the 512 MiB that the chart gives, or the kernel ends both. */
const MAX_MEMORY = 256 * 1024 * 1024
const MAX_OUTPUT = 4 * 1024 * 1024
const LOOK_MS = 100
const PAGE = 4096

/**
 * Runs OPA once, with an empty environment, bounded to a minute, 256 MiB and 4 MiB of output.
 * Throws Error that says what to do when it cannot be started, or goes beyond a bound; an exit code other than 0 is a result.
 */
export const runOpa = async ({ opa, args, cwd, signal }: OpaRun): Promise<OpaResult> => {
  const child = spawn(opa, args, {
    cwd,
    env: { HOME: cwd, TMPDIR: cwd, GOMEMLIMIT: '208MiB', GOMAXPROCS: '2' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  })
  const bounds = boundsOf(child)
  try {
    const [code, stdout, stderr] = await Promise.all([
      exitCode(child, opa),
      outputOf(child.stdout, bounds.exceed),
      outputOf(child.stderr, bounds.exceed),
    ])
    const why = bounds.exceeded()
    if (why !== undefined) throw new Error(`opa ${args[0] ?? ''} ${why}; make the policies smaller`)
    if (code === undefined) throw new Error(`opa ${args[0] ?? ''} was ended from outside`)
    return { code, stdout, stderr }
  } finally {
    bounds.close()
    child.kill('SIGKILL')
  }
}

const exitCode = (child: ChildProcess, opa: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT' || error.code === 'EACCES'
          ? new Error(
              `there is no OPA at ${opa}, which ConfigMaps with Rego need; set policies.opa, or use data only`,
            )
          : error,
      )
    })
    child.once('close', (code) => resolve(code ?? undefined))
  })

interface Bounds {
  readonly exceed: (why: string) => void
  readonly exceeded: () => string | undefined
  close(): void
}

const boundsOf = (child: ChildProcess): Bounds => {
  let why: string | undefined
  const exceed = (reason: string): void => {
    why ??= reason
    child.kill('SIGKILL')
  }
  const timer = setTimeout(() => exceed(`took longer than ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS)
  const look = setInterval(() => {
    void memoryOf(child.pid).then((bytes) => {
      if (bytes > MAX_MEMORY) exceed(`used more than ${MAX_MEMORY / 1024 / 1024} MiB of memory`)
    })
  }, LOOK_MS)
  return {
    exceed,
    exceeded: () => why,
    close: () => {
      clearTimeout(timer)
      clearInterval(look)
    },
  }
}

/** Bytes of a process that are in memory; 0 where the system does not tell. */
const memoryOf = async (pid: number | undefined): Promise<number> => {
  try {
    return Number((await readFile(`/proc/${String(pid)}/statm`, 'utf8')).split(' ')[1]) * PAGE
  } catch {
    return 0
  }
}

const outputOf = async (stream: NodeJS.ReadableStream, exceed: (why: string) => void): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_OUTPUT) chunks.push(chunk)
    else exceed('wrote too much')
  }
  return Buffer.concat(chunks).toString()
}
