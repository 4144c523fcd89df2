import { FIELDS, MACHINE, START } from './candidates.ts'
import { beginning, earliestHead, walkBack } from './lookback.ts'
import type { Run } from './run.ts'

/** The earliest offset where a finding of a held rule may still begin: all before it is cleared. */
export const clearedBy = (run: Run, held: Uint8Array): number => {
  const { triggers, leading } = run.program
  const end = run.base + run.text.length
  let first = end
  for (let from = 0; from < run.count * FIELDS; from += FIELDS)
    if (held[run.cells[from + MACHINE] as number] === 1)
      first = Math.min(first, run.cells[from + START] as number)
  const mayBegin = (machine: number, begin: number): void => {
    if (begin >= (run.lastEnd[machine] as number) && begin < first) first = begin
  }
  for (const { machine, seen } of triggers.partials(run.trigger))
    if (held[machine] === 1) mayBegin(machine, beginning(run, machine, walkBack(run, { seen, end })))
  for (const machine of leading) if (held[machine] === 1) mayBegin(machine, earliestHead(run, machine))
  return first
}
