import { randomBytes } from 'node:crypto'
import type { Io } from '../command.ts'
import type { RunRecord, TargetName, TargetTally } from '../report/record.ts'
import { readWorked } from '../report/store.ts'
import { counted, familyOf, planDigest, tally } from '../report/tally.ts'
import type { Attack } from './attack.ts'
import type { Attempt } from './attempt.ts'
import type { Endpoint } from './client.ts'
import { fuzz } from './fuzz.ts'
import { readLists } from './lists.ts'
import type { AttackOptions } from './options.ts'
import { plan } from './plan.ts'
import { plant, type Planted } from './planted.ts'
import { progressBar } from './progress.ts'
import { fire, type Firing } from './run.ts'

export interface Targets {
  readonly guarded: Endpoint
  readonly bare: Endpoint | undefined
}

export interface Session {
  readonly record: RunRecord
  readonly planted: Planted
  /** Of the guarded target, fuzzing and replay included. */
  readonly attempts: readonly Attempt[]
}

/** The planned attacks at both targets, then the fuzzing at the guarded one. */
export const attackBoth = async (options: AttackOptions, targets: Targets, io: Io): Promise<Session> => {
  const planted = plant(options.seed)
  const wanted = new Set([...options.families, 'benign'])
  const seeds = readLists().filter(({ family }) => wanted.has(family))
  const attacks = plan({ seeds, planted, seed: options.seed, attacks: options.attacks })
  const guarded = await at(targets.guarded, 'guarded', { attacks, planted, options, io })
  const bare = targets.bare && (await at(targets.bare, 'bare', { attacks, planted, options, io }))
  const bar = progressBar(io, 'fuzzing', options.fuzz)
  const firing = firingAt(targets.guarded, planted, options)
  const bred =
    options.fuzz === 0
      ? []
      : await fuzz(
          {
            seeds,
            planted,
            seed: options.seed,
            budget: options.fuzz,
            firing: { ...firing, onAttempt: bar.tick },
          },
          guarded,
        )
  bar.end()
  const heard = bred.filter(({ verdict }) => verdict !== 'error')
  const record = recordOf(options, {
    plan: planDigest(attacks),
    targets: { guarded: tally(guarded), ...(bare && { bare: tally(bare) }) },
    ...(bred.length > 0 && { fuzzed: counted(heard, familyOf) }),
  })
  return { record, planted, attempts: [...guarded, ...bred] }
}

/** What once worked, sent to the guarded target again. Throws Error when the file is not one of the store's. */
export const replay = async (options: AttackOptions, targets: Targets, io: Io): Promise<Session> => {
  const { planted, attacks } = readWorked(options.replay ?? '')
  const attempts = await at(targets.guarded, 'replay', { attacks, planted, options, io })
  const told = attempts.filter(({ verdict }) => verdict !== 'error')
  const allowed = told.filter(({ verdict }) => verdict === 'succeeded').length
  const record = recordOf(options, {
    plan: planDigest(attacks),
    targets: { guarded: tally(attempts) },
    replayed: { blocked: told.length - allowed, allowed },
  })
  return { record, planted, attempts }
}

interface Work {
  readonly attacks: readonly Attack[]
  readonly planted: Planted
  readonly options: AttackOptions
  readonly io: Io
}

const at = async (endpoint: Endpoint, title: string, work: Work): Promise<readonly Attempt[]> => {
  const bar = progressBar(work.io, title, work.attacks.length)
  const firing = firingAt(endpoint, work.planted, work.options)
  const attempts = await fire(work.attacks, { ...firing, onAttempt: bar.tick })
  bar.end()
  return attempts
}

const firingAt = (endpoint: Endpoint, planted: Planted, { concurrency }: AttackOptions): Firing => ({
  endpoint: { ...endpoint, tools: ['search_pages', planted.tool.name] },
  planted,
  concurrency,
  onAttempt: () => undefined,
})

interface Found {
  readonly plan: string
  readonly targets: Readonly<Partial<Record<TargetName, TargetTally>>>
  readonly fuzzed?: RunRecord['fuzzed'] & object
  readonly replayed?: RunRecord['replayed'] & object
}

const recordOf = (options: AttackOptions, found: Found): RunRecord => {
  const at = new Date().toISOString()
  return {
    version: 1,
    id: `${at.slice(0, 19).replaceAll(/[-:]/g, '')}-${randomBytes(2).toString('hex')}`,
    at,
    tool: 'postern',
    model: options.model,
    seed: options.seed,
    ...found,
  }
}
