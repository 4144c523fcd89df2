import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Io } from '../command.ts'
import { openJournal, type Journal, type RunHead } from '../report/journal.ts'
import type { RunRecord, TargetName } from '../report/record.ts'
import { openStore, readWorked } from '../report/store.ts'
import { counted, familyOf, planDigest, tally } from '../report/tally.ts'
import type { Attack } from './attack.ts'
import type { Attempt } from './attempt.ts'
import type { Endpoint } from './client.ts'
import { fuzz } from './fuzz.ts'
import { readLists } from './lists.ts'
import type { AttackOptions } from './options.ts'
import { build, plan } from './plan.ts'
import { plant, type Planted } from './planted.ts'
import { progressBar } from './progress.ts'
import { listAttacks } from './public/attacks.ts'
import { openList } from './public/catalogue.ts'
import { readPrompts } from './public/formats.ts'
import { fire, type Firing } from './run.ts'

export interface Targets {
  readonly guarded: Endpoint
  readonly bare: Endpoint | undefined
  /** Fires when somebody ends the run; what was sent until then is kept. */
  readonly stop?: AbortSignal
}

export interface Session {
  readonly record: RunRecord
  readonly planted: Planted
  /** Of the guarded target, fuzzing and replay included. */
  readonly attempts: readonly Attempt[]
  /** To be ended once the record is in the store. */
  readonly journal?: Journal
}

/** The planned attacks at both targets, then the fuzzing at the guarded one. */
export const attackBoth = async (options: AttackOptions, targets: Targets, io: Io): Promise<Session> => {
  const planted = plant(options.seed)
  const wanted = new Set([...options.families, 'benign'])
  const seeds = readLists().filter(({ family }) => wanted.has(family))
  const attacks = plan({ seeds, planted, seed: options.seed, attacks: options.attacks })
  const work = begin({ attacks, planted, options, targets, io }, 'postern')
  const guarded = await at(work, 'guarded')
  const bare = await at(work, 'bare')
  const bar = progressBar(io, 'fuzzing', options.fuzz)
  const firing = { ...firingAt(targets.guarded, work), onAttempt: bar.tick }
  const { seed, fuzz: budget } = options
  const bred = budget === 0 ? [] : await fuzz({ seeds, planted, seed, budget, firing }, guarded)
  bar.end()
  const heard = bred.filter(({ verdict }) => verdict !== 'error')
  const record = {
    ...measured(work, guarded, bare),
    ...(bred.length > 0 && { fuzzed: counted(heard, familyOf) }),
  }
  return { record, planted, attempts: [...guarded, ...bred], journal: work.journal }
}

/** A list of others at both targets, with our harmless prompts. Throws Error when the list cannot be had or read. */
export const attackWithList = async (options: AttackOptions, targets: Targets, io: Io): Promise<Session> => {
  const planted = plant(options.seed)
  const folder = join(options.tools, 'lists')
  const { name, file, text } = await openList({
    list: options.list ?? '',
    folder,
    download: options.download,
  })
  const prompts = readPrompts(file, text)
  const benign = readLists().filter(({ family }) => family === 'benign')
  const attacks = [
    ...listAttacks(prompts, { name, seed: options.seed, attacks: options.attacks }),
    ...benign.map((seed) => build(seed, [], { planted, seed: options.seed })),
  ]
  io.out(`${name}: ${Math.min(prompts.length, options.attacks)} of ${prompts.length} prompts\n`)
  const work = begin({ attacks, planted, options, targets, io }, `list:${name}`)
  const guarded = await at(work, 'guarded')
  const bare = await at(work, 'bare')
  return { record: measured(work, guarded, bare), planted, attempts: guarded, journal: work.journal }
}

/** What once worked, sent to the guarded target again. Throws Error when the file is not one of the store's. */
export const replay = async (options: AttackOptions, targets: Targets, io: Io): Promise<Session> => {
  const { planted, attacks } = readWorked(options.replay ?? '')
  const work = begin({ attacks, planted, options, targets: { ...targets, bare: undefined }, io }, 'postern')
  const attempts = await at(work, 'guarded')
  const told = attempts.filter(({ verdict }) => verdict !== 'error')
  const allowed = told.filter(({ verdict }) => verdict === 'succeeded').length
  const record = { ...measured(work, attempts, []), replayed: { blocked: told.length - allowed, allowed } }
  return { record, planted, attempts, journal: work.journal }
}

interface Planned {
  readonly attacks: readonly Attack[]
  readonly planted: Planted
  readonly options: AttackOptions
  readonly targets: Targets
  readonly io: Io
}

interface Work extends Planned {
  readonly head: RunHead
  readonly journal: Journal
}

/** From here on a run leaves a trace, however it ends. */
const begin = (planned: Planned, tool: string): Work => {
  const { options, attacks } = planned
  openStore(options.store)
  const head = headOf(options, tool, planDigest(attacks))
  return { ...planned, head, journal: openJournal(options.store, head) }
}

/** A run that begins now. */
export const headOf = ({ model, seed }: AttackOptions, tool: string, plan: string): RunHead => {
  const now = new Date().toISOString()
  const id = `${now.slice(0, 19).replaceAll(/[-:]/g, '')}-${randomBytes(2).toString('hex')}`
  return { version: 1, id, at: now, tool, model, seed, plan }
}

const at = async (work: Work, target: TargetName): Promise<readonly Attempt[]> => {
  const { io, attacks, targets, journal } = work
  const endpoint = targets[target]
  if (endpoint === undefined || targets.stop?.aborted === true) return []
  const bar = progressBar(io, target, attacks.length)
  const onAttempt = (attempt: Attempt): void => {
    journal.note(target, attempt)
    bar.tick(attempt)
  }
  const attempts = await fire(attacks, { ...firingAt(endpoint, work), onAttempt })
  bar.end()
  return attempts
}

const firingAt = (endpoint: Endpoint, { planted, options, targets }: Work): Firing => ({
  endpoint: { ...endpoint, tools: ['search_pages', planted.tool.name] },
  planted,
  concurrency: options.concurrency,
  onAttempt: () => undefined,
  ...(targets.stop && { stop: targets.stop }),
})

const measured = (
  { head, targets: { stop } }: Work,
  guarded: readonly Attempt[],
  bare: readonly Attempt[],
): RunRecord => ({
  ...head,
  at: new Date().toISOString(),
  ...(stop?.aborted === true && { unfinished: 'it was stopped by hand' }),
  targets: { guarded: tally(guarded), ...(bare.length > 0 && { bare: tally(bare) }) },
})
