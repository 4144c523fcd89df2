import { SKIP } from './alphabet.ts'
import { classAt, previous, widthAt } from './characters.ts'
import { BLOCKING, SEPARATING } from './edge.ts'
import type { Machine } from './program.ts'
import { LEAD, LOOKBACK, NEIGHBOUR } from './reach.ts'
import type { Run } from './run.ts'

const BLANK = 32

/** Where the text of a trigger began that took `seen` characters and ends at `end`; not earlier than LOOKBACK units before. */
export const walkBack = (run: Run, { seen, end }: Partly): number => {
  const { view, codes } = run.program.alphabet
  if (view === 'raw' || (view === 'plain' && !run.rough)) return end - seen
  const floor = Math.max(0, end - LOOKBACK)
  let at = end
  let begin = end
  let left = seen
  let inBlanks = false
  while (at > floor && left > 0) {
    at = previous(run, at)
    const cls = classAt(run, at)
    if (cls === SKIP) continue
    const blank = view === 'folded' && codes[cls] === BLANK
    if (!blank || !inBlanks) left--
    inBlanks = blank
    begin = at
  }
  return begin
}

/** How much of a trigger has been seen, and where that ends. */
interface Partly {
  readonly seen: number
  readonly end: number
}

/** Where a finding begins whose trigger begins at `trigger`: before its lead. -1 when its left side forbids it. */
export const beginning = (run: Run, at: number, trigger: number): number => {
  const { leadMin } = run.program.machines[at] as Machine
  return behindLead(run, at, { trigger, leadMin })
}

interface Lead {
  readonly trigger: number
  readonly leadMin: number
}

const behindLead = (run: Run, at: number, { trigger, leadMin }: Lead): number => {
  const machine = run.program.machines[at] as Machine
  if (machine.leadMax === 0) return leftIsFree(run, at, trigger) ? trigger : -1
  const floor = Math.max(0, trigger - LEAD)
  let offset = trigger
  let begin = trigger
  let count = 0
  while (offset > floor && count < machine.leadMax) {
    offset = previous(run, offset)
    const cls = classAt(run, offset)
    if (cls === SKIP) continue
    if (machine.leads[cls] === 0) break
    begin = offset
    count++
  }
  if (count < leadMin) return -1
  // A lead that is cut for its length has its own characters on its left, which forbid nothing; one of fixed length is not cut.
  const isCut = count === machine.leadMax && machine.leadMin < machine.leadMax
  return isCut || leftIsFree(run, at, begin) ? begin : -1
}

const leftIsFree = (run: Run, at: number, offset: number): boolean => {
  const { machines, edge, alphabet } = run.program
  if (!(machines[at] as Machine).bounded) return true
  const floor = Math.max(0, offset - NEIGHBOUR)
  let left = offset
  let separated = false
  while (left > floor) {
    left = previous(run, left)
    const cls = classAt(run, left)
    if (cls === SKIP) continue
    const kind = edge[at * alphabet.size + cls] as number
    if (kind === BLOCKING) return false
    if (kind !== SEPARATING || separated) return true
    separated = true
  }
  return true
}

/** The state of a machine that has read from an offset to the end of a range; 0 when it cannot. */
export const replay = (run: Run, machine: number, { from, end }: { from: number; end: number }): number => {
  const { column, next, start, alphabet } = run.program
  let state = start[machine] as number
  for (let at = from; at < end && state !== 0; at += widthAt(run, at)) {
    const k = column[machine * alphabet.size + classAt(run, at)] as number
    if (k !== 0) state = next[state + k] as number
    run.steps++
  }
  return state
}

/** Where the earliest finding of a machine may begin whose trigger has not been seen yet; Infinity when none may. */
export const earliestHead = (run: Run, machine: number): number => {
  const { headMax, heads, leadMin, leadMax } = run.program.machines[machine] as Machine
  const end = run.base + run.text.length
  const floor = Math.max(0, end - LOOKBACK)
  let first = Infinity
  const mayBegin = (from: number, leadMin: number): void => {
    const begin = behindLead(run, machine, { trigger: from, leadMin })
    if (begin >= 0 && begin < first && replay(run, machine, { from, end }) !== 0) first = begin
  }
  // A lead that is too short so far may grow.
  if (leadMax > 0) mayBegin(end, 0)
  let at = end
  for (let count = 0; at > floor && count < headMax;) {
    at = previous(run, at)
    const cls = classAt(run, at)
    if (cls === SKIP) continue
    if (heads[cls] === 0) break
    count++
    mayBegin(at, leadMin)
  }
  return first
}
