import { BLOCKING, FREE, SEPARATING } from './edge.ts'
import type { Marks } from './program.ts'
import { LONGEST, type Run } from './run.ts'

/** Fields of a candidate in `Run.cells`. */
export const FIELDS = 8
export const MACHINE = 0
/** Row of its automaton; 0 when it cannot go on. */
export const STATE = 1
export const START = 2
/** End of the longest match whose right side is known to be free; -1 when there is none. */
export const END = 3
/** End of a match behind which a separator stands: it counts unless a digit follows. -1 when there is none. */
export const TENTATIVE = 4
/** Where the last character that the candidate took ends. */
export const TAKEN = 5
/** 1 when it carries on a run whose beginning is a finding already: then any end will do. */
export const CARRIES_ON = 6

/** Adds a candidate; its place in `cells`. */
export const addCandidate = (run: Run, machine: number, start: number): number => {
  const at = run.count * FIELDS
  if (at === run.cells.length) {
    const larger = new Int32Array(Math.max(8 * FIELDS, run.cells.length * 2))
    larger.set(run.cells)
    run.cells = larger
  }
  const { cells } = run
  cells[at + MACHINE] = machine
  cells[at + STATE] = run.program.start[machine] as number
  cells[at + START] = start
  cells[at + END] = -1
  cells[at + TENTATIVE] = -1
  cells[at + TAKEN] = start
  cells[at + CARRIES_ON] = 0
  run.count++
  return at
}

/**
 * Moves every candidate over one character of class `cls` that ends at `end`. Two candidates of one rule in one state
 * become the earlier one, so their number is bounded by the rules, not by the text.
 */
export const advance = (run: Run, cls: number, end: number): void => {
  const { cells, program } = run
  const { marks } = program
  marks.now = marks.now === 0x7fffffff ? startAgain(marks) : marks.now + 1
  const count = run.count
  let spawned: number[] | undefined
  let kept = 0
  run.steps += count
  for (let i = 0; i < count; i++) {
    const from = i * FIELDS
    if (!move(run, from, { cls, end })) continue
    const state = cells[from + STATE] as number
    if (state !== 0) {
      if (marks.step[state] === marks.now) {
        const twin = marks.at[state] as number
        if ((cells[from + START] as number) < (cells[twin + START] as number))
          cells.copyWithin(twin, from, from + FIELDS)
        continue
      }
      marks.step[state] = marks.now
      marks.at[state] = kept * FIELDS
      const then = program.then[cells[from + MACHINE] as number] as number
      if (then >= 0 && program.accepting[state] === 1) (spawned ??= []).push(then)
      if (then < 0 && end - (cells[from + START] as number) >= LONGEST) run.unsettled = true
    }
    if (kept !== i) cells.copyWithin(kept * FIELDS, from, from + FIELDS)
    kept++
  }
  run.count = kept
  if (spawned !== undefined)
    for (const machine of spawned)
      if (end >= (run.lastEnd[machine] as number)) addCandidate(run, machine, end)
}

const startAgain = (marks: Marks): number => {
  marks.step.fill(0)
  return 1
}

interface Character {
  readonly cls: number
  readonly end: number
}

/** False when the candidate is gone without a match. */
const move = (run: Run, from: number, { cls, end }: Character): boolean => {
  const { cells, program } = run
  const at = (cells[from + MACHINE] as number) * program.alphabet.size + cls
  const column = program.column[at] as number
  const before = cells[from + STATE] as number
  if (column === 0) {
    if (cells[from + TAKEN] === cells[from + START] && before !== 0)
      cells[from + START] = cells[from + TAKEN] = end
    return true
  }
  const pending = before !== 0 || (cells[from + TENTATIVE] as number) >= 0
  endBefore(run, from, program.edge[at] as number)
  const state = program.next[before + column] as number
  cells[from + STATE] = state
  if (state !== 0) {
    cells[from + TAKEN] = end
    return true
  }
  if (!pending || (cells[from + TENTATIVE] as number) >= 0) return true
  const matched = (cells[from + END] as number) >= 0
  if (matched || run.waiting > 0) run.unsettled = true
  return matched
}

/** Notes the match that ends before a character of the given edge. */
export const endBefore = ({ cells, program }: Run, from: number, edge: number): void => {
  const tentative = cells[from + TENTATIVE] as number
  if (tentative >= 0) {
    if (edge !== BLOCKING) cells[from + END] = tentative
    cells[from + TENTATIVE] = -1
  }
  if ((program.then[cells[from + MACHINE] as number] as number) >= 0) return
  const state = cells[from + STATE] as number
  const taken = cells[from + TAKEN] as number
  if (cells[from + CARRIES_ON] === 1) {
    if (state !== 0 && taken > (cells[from + START] as number)) cells[from + END] = taken
  } else if (program.accepting[state] === 1) {
    if (edge === FREE) cells[from + END] = taken
    else if (edge === SEPARATING) cells[from + TENTATIVE] = taken
  }
}
