import type { Finding } from '../core/finding.ts'
import { FIELD, endBefore } from './candidates.ts'
import { shown } from './shown.ts'
import { FREE } from './edge.ts'
import type { Machine } from './program.ts'
import { LONGEST } from './reach.ts'
import type { Run } from './run.ts'

/** Candidates in the order of their rules' wishes: the leftmost of a rule first, of those that begin there the longest. */
export const settle = (run: Run): void => {
  run.unsettled = false
  for (let from = ready(run); from >= 0; from = ready(run)) deliver(run, from)
  run.waiting = 0
  for (let from = 0; from < run.count * FIELD.size; from += FIELD.size) if (isDone(run, from)) run.waiting++
}

/** The text is complete: what could still match more has matched what it has. */
export const settleAtEnd = (run: Run): void => {
  for (let from = 0; from < run.count * FIELD.size; from += FIELD.size) {
    endBefore(run, from, FREE)
    if ((run.cells[from + FIELD.tentative] as number) >= 0)
      run.cells[from + FIELD.end] = run.cells[from + FIELD.tentative] as number
    run.cells[from + FIELD.tentative] = -1
    run.cells[from + FIELD.state] = 0
  }
  settle(run)
  run.count = 0
}

const isDone = ({ cells }: Run, from: number): boolean =>
  cells[from + FIELD.state] === 0 && (cells[from + FIELD.tentative] as number) < 0

/** Counted in units of the text, so that ignored characters cannot stretch a candidate without end. */
const isOverlong = ({ cells, program, end }: Run, from: number): boolean =>
  cells[from + FIELD.state] !== 0 &&
  program.then[cells[from + FIELD.machine] as number] === -1 &&
  end - (cells[from + FIELD.start] as number) >= LONGEST

/** A candidate that is done, or as long as one may be, and is the earliest of its rule; -1 when there is none. */
const ready = (run: Run): number => {
  for (let from = 0; from < run.count * FIELD.size; from += FIELD.size)
    if ((isDone(run, from) || isOverlong(run, from)) && isEarliest(run, from)) return from
  return -1
}

const isEarliest = ({ cells, count }: Run, from: number): boolean => {
  const machine = cells[from + FIELD.machine]
  const start = cells[from + FIELD.start] as number
  for (let other = 0; other < count * FIELD.size; other += FIELD.size)
    if (cells[other + FIELD.machine] === machine && (cells[other + FIELD.start] as number) < start)
      return false
  return true
}

const deliver = (run: Run, from: number): void => {
  const { cells } = run
  const machine = cells[from + FIELD.machine] as number
  const start = cells[from + FIELD.start] as number
  const overlong = isOverlong(run, from)
  if (overlong) cells[from + FIELD.end] = run.end
  const end = checked(run, from)
  if (end < 0) {
    remove(run, (other) => other === from)
    return
  }
  run.found.push(findingOf(run.program.machines[machine] as Machine, start, end))
  if (run.lastEnd === run.program.noEnds) run.lastEnd = run.lastEnd.slice()
  run.lastEnd[machine] = end
  if (overlong) {
    cells[from + FIELD.start] = cells[from + FIELD.taken] = end
    cells[from + FIELD.end] = -1
    cells[from + FIELD.carriesOn] = 1
  }
  remove(
    run,
    (other) => cells[other + FIELD.machine] === machine && (cells[other + FIELD.start] as number) < end,
  )
}

const findingOf = ({ rule, category, score, evidence }: Machine, start: number, end: number): Finding => ({
  rule,
  category,
  score,
  start,
  end,
  evidence,
})

const remove = (run: Run, gone: (from: number) => boolean): void => {
  let kept = 0
  for (let from = 0; from < run.count * FIELD.size; from += FIELD.size) {
    if (gone(from)) continue
    if (kept !== from) run.cells.copyWithin(kept, from, from + FIELD.size)
    kept += FIELD.size
  }
  run.count = kept / FIELD.size
}

/** Where the longest match ends that passes the rule's check; -1 when none does. */
const checked = (run: Run, from: number): number => {
  const { cells } = run
  const start = cells[from + FIELD.start] as number
  const end = cells[from + FIELD.end] as number
  const { check } = run.program.machines[cells[from + FIELD.machine] as number] as Machine
  if (check === undefined || end < 0 || cells[from + FIELD.carriesOn] === 1) return end
  return check(shown(run, start, end)) ? end : -1
}
