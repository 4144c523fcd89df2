import { parseArgs } from 'node:util'
import { join, resolve } from 'node:path'
import type { Command, Io } from '../command.ts'
import { attackCheck, configCheck, guardCheck, lintCheck, observabilityCheck } from './checks.ts'
import { withDemo } from './demo.ts'
import { notebookCheck } from './notebooks.ts'
import { table, timed, type Outcome } from './step.ts'

const HELP = `usage: postern-sec pipeline [PATH] [options]

Everything that gates a change, in this order: notebooks (nbval), lint of prompts and their schema, attacks on an own guard
before a model that obeys everything, against a baseline that may only improve; guard and gate; metrics, audit log, alert rules.
Configurations of guards of yours are checked before the attacks.
PATH is what is linted and searched for notebooks; the current folder when absent.

  --attacks N        how many (300; the baseline that comes with postern-sec is of 300)
  --config FILE      configuration of a guard of yours, checked as that guard reads it; may be repeated
  --skip STEP        notebooks or lint, where something else runs them; may be repeated
  --baseline FILE    shares that may only fall (the one that comes with postern-sec)
  --store DIR        where runs are kept (.postern-sec)
  --report FILE      HTML report

exit codes
  0  nothing failed     1  a step failed     2  wrong usage
`

const BASELINE = resolve(import.meta.dirname, '../../attacks/baseline.json')

export const command: Command = {
  summary: 'notebooks, lint, attacks, gate and observability in one run',
  run: async (args, io) => {
    if (args.includes('--help') || args.includes('-h')) {
      io.out(HELP)
      return 0
    }
    try {
      return await pipeline(readArgs(args), io)
    } catch (error) {
      io.err(`postern-sec pipeline: ${error instanceof Error ? error.message : 'wrong usage'}\n`)
      return 2
    }
  },
}

interface Options {
  readonly path: string
  readonly attacks: number
  readonly baseline: string
  readonly store: string
  readonly report: string | undefined
  readonly configs: readonly string[]
  readonly skip: readonly string[]
}

const readArgs = (args: readonly string[]): Options => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      attacks: { type: 'string', default: '300' },
      baseline: { type: 'string', default: BASELINE },
      store: { type: 'string', default: '.postern-sec' },
      report: { type: 'string' },
      config: { type: 'string', multiple: true, default: [] },
      skip: { type: 'string', multiple: true, default: [] },
    },
  })
  const attacks = Number(values.attacks)
  if (!Number.isInteger(attacks) || attacks < 50)
    throw new RangeError('--attacks takes a whole number from 50')
  if (values.skip.some((step) => step !== 'notebooks' && step !== 'lint'))
    throw new RangeError('--skip takes notebooks or lint')
  if (positionals.length > 1) throw new RangeError('pipeline takes one PATH')
  return {
    path: positionals[0] ?? '.',
    attacks,
    baseline: values.baseline,
    store: values.store,
    report: values.report,
    configs: values.config,
    skip: values.skip,
  }
}

const pipeline = async (options: Options, io: Io): Promise<number> => {
  const { path, attacks, baseline, report, configs, skip } = options
  const store = join(options.store, 'pipeline')
  const outcomes: Outcome[] = []
  const step = async (name: string, check: Parameters<typeof timed>[1]): Promise<void> => {
    if (io.terminal) io.err(`${name} …\n`)
    outcomes.push(await timed(name, check))
  }
  if (!skip.includes('notebooks')) await step('notebooks', () => notebookCheck(path))
  if (!skip.includes('lint')) await step('prompt lint', () => lintCheck(path))
  if (configs.length > 0) await step('configuration', () => configCheck(configs))
  try {
    await withDemo(async (demo) => {
      await step('attacks', () => attackCheck({ demo, attacks, store, baseline, report }))
      await step('guard and gate', () => guardCheck(demo, store))
      await step('observability', () => observabilityCheck(demo))
    })
  } catch (error) {
    await step('guard', () =>
      Promise.reject(error instanceof Error ? error : new Error('the guard did not start')),
    )
  }
  io.out(table(outcomes))
  return outcomes.some(({ result }) => result === 'failed') ? 1 : 0
}
