import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Attack } from '../attack/attack.ts'
import type { Attempt } from '../attack/attempt.ts'
import type { Planted } from '../attack/planted.ts'
import { leftBehind } from './journal.ts'
import { RECORD_VERSION, type RunRecord } from './record.ts'

const RUNS = 'runs.jsonl'
const MOST_RUNS = 1000
const MOST_BYTES = 64 << 20
const WORKED = /^worked-.*\.json$/
const MOST_WORKED_FILES = 20
const MOST_WORKED = 2000

/** Attacks that worked, with what is needed to send and judge them again. The values in them are planted, none is real. */
export interface Worked {
  readonly version: typeof RECORD_VERSION
  readonly planted: Planted
  readonly attacks: readonly Attack[]
}

/**
 * A folder: `runs.jsonl`, a line for each of the last 1,000 runs, and `worked-ID.json` for the last 20 in which attacks worked on the
 * guarded target, with 2,000 of them at most. Opening it takes in what killed runs left behind.
 */
export interface Store {
  /** Oldest first. Throws Error that names the line which is no record of this version, or a file over 64 MiB. */
  runs(): readonly RunRecord[]
  add(record: RunRecord): void
  /** Path of the file, for `--replay`; undefined when nothing worked. */
  keep(id: string, planted: Planted, attempts: readonly Attempt[]): string | undefined
}

export const openStore = (folder: string): Store => {
  // Ways in are not for every user of the machine.
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, RUNS)
  const add = (record: RunRecord): void => {
    appendFileSync(file, `${JSON.stringify(record)}\n`)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    if (lines.length > MOST_RUNS) replace(file, `${lines.slice(-MOST_RUNS).join('\n')}\n`)
  }
  const left = leftBehind(folder)
  for (const record of left.records) add(record)
  left.done()
  return {
    runs: () => (existsSync(file) ? readBounded(file).split('\n').flatMap(readLine) : []),
    add,
    keep: (id, planted, attempts) => {
      const attacks = attempts.filter(({ verdict }) => verdict === 'succeeded').map(({ attack }) => attack)
      if (attacks.length === 0) return undefined
      const path = join(folder, `worked-${id}.json`)
      const worked: Worked = { version: RECORD_VERSION, planted, attacks: attacks.slice(0, MOST_WORKED) }
      writeFileSync(path, `${JSON.stringify(worked)}\n`, { mode: 0o600 })
      forgetOld(folder)
      return path
    },
  }
}

/** Throws Error that says what is wrong with the file. */
export const readWorked = (path: string): Worked => {
  const read = JSON.parse(readBounded(path)) as Partial<Worked>
  if (read.version !== RECORD_VERSION || !Array.isArray(read.attacks) || read.planted === undefined)
    throw new Error(`${path} is no file of attacks that worked, version ${RECORD_VERSION}`)
  return { version: RECORD_VERSION, planted: read.planted, attacks: read.attacks }
}

const readBounded = (file: string): string => {
  if (statSync(file).size > MOST_BYTES) throw new Error(`${file} is larger than 64 MiB; move it away`)
  return readFileSync(file, 'utf8')
}

/** Whole or not at all: a run that is killed here loses no other. */
const replace = (file: string, text: string): void => {
  const part = `${file}.${process.pid}.part`
  writeFileSync(part, text)
  renameSync(part, file)
}

/** The names begin with the time. */
const forgetOld = (folder: string): void => {
  const files = readdirSync(folder)
    .filter((name) => WORKED.test(name))
    .sort()
  for (const name of files.slice(0, -MOST_WORKED_FILES)) rmSync(join(folder, name), { force: true })
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
