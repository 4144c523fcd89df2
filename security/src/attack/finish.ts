import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Io } from '../command.ts'
import { baselineOf, gate, percent, readBaseline, type Baseline } from '../report/gate.ts'
import { htmlReport } from '../report/html.ts'
import { push } from '../report/metrics.ts'
import type { RunRecord } from '../report/record.ts'
import { openStore } from '../report/store.ts'
import { inWords, rate, sum, titleOf } from '../report/words.ts'
import type { AttackOptions } from './options.ts'
import type { Session } from './session.ts'

/** Keeps, shows, reports and gates a run. The result is the exit code. */
export const finish = async (session: Session, options: AttackOptions, io: Io): Promise<number> => {
  const { record } = session
  const store = openStore(options.store)
  const before = store.runs()
  const worked = store.keep(record.id, session.planted, session.attempts)
  store.add(record)
  session.journal?.end()
  show(record, before, io)
  if (worked !== undefined) io.out(`what got through is kept in ${worked}; send it again with --replay\n`)
  if (options.report !== undefined) {
    writeFileSync(options.report, htmlReport(record, before))
    io.out(`report: ${options.report}\n`)
  }
  const pushed = options.push === undefined ? true : await pushTo(options.push, record, io)
  const code =
    options.gate === undefined ? plainCode(record) : gateWith(options.gate, record, { options, io })
  return code === 0 && !pushed ? 1 : code
}

const show = (record: RunRecord, before: readonly RunRecord[], io: Io): void => {
  const { headline, sentences } = inWords(record, before)
  io.out(`${headline}\n${sentences.map((sentence) => `${sentence}\n`).join('')}\n`)
  const { guarded, bare } = record.targets
  const width = 26
  io.out(
    `${'family'.padEnd(width)}${'sent'.padStart(6)}${'through'.padStart(9)}${''.padStart(9)}${bare ? '   without' : ''}\n`,
  )
  for (const [family, count] of Object.entries(guarded?.families ?? {})) {
    const open = bare?.families[family]
    const without = open === undefined ? '' : percent(rate(open)).padStart(10)
    io.out(
      `${titleOf(family).padEnd(width)}${String(count.attacks).padStart(6)}${String(count.successes).padStart(9)}${percent(rate(count)).padStart(9)}${without}\n`,
    )
  }
}

const pushTo = async (address: string, record: RunRecord, io: Io): Promise<boolean> => {
  try {
    await push(address, record)
    return true
  } catch (error) {
    io.err(`postern-sec: the metrics were not taken: ${error instanceof Error ? error.message : 'unknown'}\n`)
    return false
  }
}

const plainCode = ({ targets: { guarded }, fuzzed, unfinished }: RunRecord): number => {
  const through = sum(guarded?.families ?? {}).successes + sum(fuzzed ?? {}).successes
  const told = guarded ? guarded.confusion.attack.blocked + guarded.confusion.attack.allowed : 0
  return through > 0 || told === 0 || unfinished !== undefined ? 1 : 0
}

interface Gating {
  readonly options: AttackOptions
  readonly io: Io
}

const gateWith = (file: string, record: RunRecord, { options, io }: Gating): number => {
  const old = existsSync(file) ? readBaseline(readFileSync(file, 'utf8')) : undefined
  if (old === undefined && !options.updateBaseline) {
    io.err(`postern-sec: there is no baseline ${file}; make one with --update-baseline\n`)
    return 2
  }
  const reasons = old === undefined ? [] : gate(record, old, options.tolerance)
  if (old !== undefined && old.plan !== record.plan)
    io.out('the baseline was made with other attacks: shares are compared, but not of the same attacks\n')
  for (const reason of reasons) io.out(`gate: ${reason}\n`)
  if (!options.updateBaseline) {
    if (reasons.length === 0) io.out('gate: holds\n')
    return reasons.length === 0 ? 0 : 1
  }
  return update(
    file,
    { old, record, worse: reasons.filter((reason) => !reason.includes('--update-baseline')) },
    { options, io },
  )
}

interface Update {
  readonly old: Baseline | undefined
  readonly record: RunRecord
  readonly worse: readonly string[]
}

const update = (file: string, { old, record, worse }: Update, { options, io }: Gating): number => {
  if (record.unfinished !== undefined) {
    io.err('postern-sec: the run did not end, so it makes no baseline\n')
    return 1
  }
  const forced = worse.length > 0
  if (forced && (!options.force || options.reason.trim() === '')) {
    io.err('postern-sec: the baseline would get worse; if that is meant, say --force --reason TEXT\n')
    return 1
  }
  const worsened = [
    ...(old?.worsened ?? []),
    ...(forced ? [`${record.at.slice(0, 10)} ${options.reason.trim()}`] : []),
  ]
  const baseline = { ...baselineOf(record), ...(worsened.length > 0 && { worsened }) }
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`)
  io.out(`baseline written: ${file}\n`)
  return 0
}
