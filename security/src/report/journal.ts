import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Attack } from '../attack/attack.ts'
import type { Attempt } from '../attack/attempt.ts'
import { RECORD_VERSION, type RunRecord, type TargetName } from './record.ts'
import { tally } from './tally.ts'

/** What is known of a run before its first answer. */
export type RunHead = Omit<RunRecord, 'targets' | 'fuzzed' | 'replayed'>

/** Every answer, on disk at once and without any text, so that a run whose process is killed keeps what it has. */
export interface Journal {
  note(target: TargetName, attempt: Attempt): void
  /** The run is in the store: the journal goes. */
  end(): void
}

interface Noted {
  readonly target: TargetName
  readonly attack: Pick<Attack, 'id' | 'family' | 'seed' | 'mutators'>
  readonly verdict: Attempt['verdict']
}

interface Opened {
  readonly version: number
  readonly pid: number
  readonly head: RunHead
}

const NAME = /^running-[\w.:-]{1,80}\.jsonl$/
const MOST_BYTES = 64 << 20

/** In the folder of the store, which must be there. */
export const openJournal = (folder: string, head: RunHead): Journal => {
  const file = join(folder, `running-${head.id}.jsonl`)
  const write = (line: Opened | Noted): void => appendFileSync(file, `${JSON.stringify(line)}\n`)
  write({ version: RECORD_VERSION, pid: process.pid, head })
  return {
    note: (target, { attack: { id, family, seed, mutators }, verdict }) =>
      write({ target, attack: { id, family, seed, mutators }, verdict }),
    end: () => rmSync(file, { force: true }),
  }
}

/** Runs whose process is gone, as unfinished records; their journals are removed by `done`. A journal that cannot be read is left alone. */
export const leftBehind = (folder: string): { readonly records: readonly RunRecord[]; done(): void } => {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => NAME.test(name)) : []
  const found = files.flatMap((name) => {
    const file = join(folder, name)
    const record = statSync(file).size > MOST_BYTES ? undefined : recordIn(readFileSync(file, 'utf8'))
    return record === undefined ? [] : [{ file, record }]
  })
  return {
    records: found.map(({ record }) => record),
    done: () => {
      for (const { file } of found) rmSync(file, { force: true })
    },
  }
}

const recordIn = (text: string): RunRecord | undefined => {
  const [first = '', ...rest] = text.split('\n')
  const opened = parsed(first) as Opened | undefined
  if (opened?.version !== RECORD_VERSION || alive(opened.pid)) return undefined
  const noted = rest.flatMap((line) => (parsed(line) as Noted | undefined) ?? [])
  const of = (target: TargetName): readonly Attempt[] =>
    noted.filter((each) => each.target === target).map(asAttempt)
  const [guarded, bare] = [of('guarded'), of('bare')]
  return {
    ...opened.head,
    unfinished: 'its process was killed',
    targets: { guarded: tally(guarded), ...(bare.length > 0 && { bare: tally(bare) }) },
  }
}

/** Undefined for the half line at the end of a journal. */
const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const asAttempt = ({ attack, verdict }: Noted): Attempt => ({
  attack: { ...attack, messages: [], tools: false },
  verdict,
  score: 0,
  status: 0,
  rules: [],
  ms: 0,
})

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
