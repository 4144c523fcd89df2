import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import { Refusal } from '../core/refusal.ts'
import { wasmPolicy } from '../policy/wasm.ts'

/** Guards do the same in the thread that serves, so what takes longer must not get to them. A good policy takes a second, most of it the start of the thread. */
const DEADLINE_MS = 10_000
const LIMITS = { maxOldGenerationSizeMb: 128, stackSizeMb: 4 }

interface Task {
  readonly bundle: string
}

/**
 * Loads the bundle as a guard would, which asks it first questions, in a thread that is ended after the deadline: an evaluation cannot be
 * interrupted in any other way. Throws Error that says why guards could not work with it.
 */
export const tryBundle = async (bytes: Uint8Array, deadlineMs = DEADLINE_MS): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-bundle-'))
  try {
    const bundle = join(folder, 'bundle.tar.gz')
    await writeFile(bundle, bytes, { mode: 0o600 })
    await inThread({ bundle }, deadlineMs)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const inThread = async (task: Task, deadlineMs: number): Promise<void> => {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: task,
    resourceLimits: LIMITS,
    env: {},
    execArgv: [],
  })
  let timer: NodeJS.Timeout | undefined
  try {
    const why = await new Promise<unknown>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`a first question takes longer than ${deadlineMs / 1000} s`))
      }, deadlineMs)
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('the thread that tried them has ended')))
    })
    if (typeof why === 'string') throw new Error(why)
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

/** In the thread: tells why not, or null. */
const answer = async ({ bundle }: Task): Promise<string | null> => {
  try {
    const policy = await wasmPolicy({ bundle, cacheEntries: 0, meter: noMeter, log: noLog })
    await policy.close()
    return null
  } catch (error) {
    // A Refusal is for callers; what it was made of says more.
    const why = error instanceof Refusal ? error.cause : error
    return why instanceof Error ? why.message : 'they do not answer'
  }
}

const isTask = (value: unknown): value is Task =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Task>).bundle === 'string'

if (!isMainThread && isTask(workerData)) parentPort?.postMessage(await answer(workerData))
