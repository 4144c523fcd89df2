import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Attack } from '../attack/attack.ts'
import type { Attempt } from '../attack/attempt.ts'
import type { Planted } from '../attack/planted.ts'
import { RECORD_VERSION, type RunRecord } from './record.ts'

const RUNS = 'runs.jsonl'

/** Attacks that worked, with what is needed to send and judge them again. The values in them are planted, none is real. */
export interface Worked {
  readonly version: typeof RECORD_VERSION
  readonly planted: Planted
  readonly attacks: readonly Attack[]
}

/** A folder: `runs.jsonl`, a line for each run, and `worked-ID.json` for those in which attacks worked on the guarded target. */
export interface Store {
  /** Oldest first. Throws Error that names the line which is no record of this version. */
  runs(): readonly RunRecord[]
  add(record: RunRecord): void
  /** Path of the file, for `--replay`; undefined when nothing worked. */
  keep(id: string, planted: Planted, attempts: readonly Attempt[]): string | undefined
}

export const openStore = (folder: string): Store => {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, RUNS)
  return {
    runs: () => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').flatMap(readLine) : []),
    add: (record) => appendFileSync(file, `${JSON.stringify(record)}\n`),
    keep: (id, planted, attempts) => {
      const attacks = attempts.filter(({ verdict }) => verdict === 'succeeded').map(({ attack }) => attack)
      if (attacks.length === 0) return undefined
      const path = join(folder, `worked-${id}.json`)
      writeFileSync(
        path,
        `${JSON.stringify({ version: RECORD_VERSION, planted, attacks } satisfies Worked)}\n`,
      )
      return path
    },
  }
}

/** Throws Error that says what is wrong with the file. */
export const readWorked = (path: string): Worked => {
  const read = JSON.parse(readFileSync(path, 'utf8')) as Partial<Worked>
  if (read.version !== RECORD_VERSION || !Array.isArray(read.attacks) || read.planted === undefined)
    throw new Error(`${path} is no file of attacks that worked, version ${RECORD_VERSION}`)
  return { version: RECORD_VERSION, planted: read.planted, attacks: read.attacks }
}

const readLine = (line: string, at: number): readonly RunRecord[] => {
  if (line.trim() === '') return []
  let record: Partial<RunRecord>
  try {
    record = JSON.parse(line) as Partial<RunRecord>
  } catch (cause) {
    throw new Error(`line ${at + 1} of ${RUNS} is no JSON; remove it`, { cause })
  }
  if (record.version !== RECORD_VERSION || typeof record.at !== 'string' || record.targets === undefined)
    throw new Error(`line ${at + 1} of ${RUNS} is no run of version ${RECORD_VERSION}; keep it elsewhere`)
  return [record as RunRecord]
}
