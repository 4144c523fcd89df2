import { fork, type ChildProcess } from 'node:child_process'
import type { Asked, Said } from './parquet-process.ts'
import { collector, type Fields, type Row } from './rows.ts'

export interface ParquetLimits {
  /** Of the heap of the process that decodes, in MiB. */
  readonly heapMb: number
  /** For all of the file, and for one row group. */
  readonly totalMs: number
  readonly idleMs: number
}

const LIMITS: ParquetLimits = { heapMb: 4096, totalMs: 15 * 60_000, idleMs: 3 * 60_000 }

/**
 * Reads a Parquet file with hyparquet: columns of texts, conversations, labels and lists of numbers, row group after row group. It is
 * decoded in a process of its own, since some bytes of a hostile file end the process that decodes them (a run length is taken as it is);
 * here that is an Error like all others. Throws an Error that begins with the file for what is damaged, of another format, or takes more
 * time or memory than allowed.
 */
export const readParquet = async (
  file: string,
  fields: Fields,
  limits: ParquetLimits = LIMITS,
): Promise<readonly Row[]> => {
  const child = fork(new URL('parquet-process.ts', import.meta.url), {
    serialization: 'advanced',
    env: {},
    execArgv: [`--max-old-space-size=${limits.heapMb}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  try {
    return await rowsOf(child, { file, fields }, limits)
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause })
  } finally {
    child.kill('SIGKILL')
  }
}

const rowsOf = (child: ChildProcess, asked: Asked, limits: ParquetLimits): Promise<readonly Row[]> =>
  new Promise((resolve, reject) => {
    const all = collector('it')
    const late = (ms: number) => (): void =>
      reject(new Error(`takes longer than ${ms / 1000} s to decode; write it with smaller row groups`))
    const total = setTimeout(late(limits.totalMs), limits.totalMs)
    const idle = setTimeout(late(limits.idleMs), limits.idleMs)
    const end = (): void => {
      clearTimeout(total)
      clearTimeout(idle)
    }
    child.on('message', (said: Said) => {
      idle.refresh()
      if ('error' in said) reject(new Error(said.error))
      else if ('done' in said) resolve(all.rows)
      else
        try {
          for (const row of said.rows) all.add(row)
        } catch (error) {
          reject(error instanceof Error ? error : new Error('cannot be kept'))
        }
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      end()
      reject(
        new Error(
          `ended the process that decodes it (${signal ?? code ?? 'unknown'}): it is damaged, or a row group of it takes more than ${limits.heapMb} MiB`,
        ),
      )
    })
    child.send(asked, (error) => error && reject(error))
  })
