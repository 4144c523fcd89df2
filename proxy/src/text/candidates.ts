import { BLOCKING, FREE, SEPARATING } from './edge.ts'
import type { Marks } from './marks.ts'
import { LONGEST } from './reach.ts'
import type { Run } from './run.ts'

/** Places of a candidate's fields in `Run.cells`; `size` is how many there are. */
export const FIELD = {
  machine: 0,
  /** Row of its automaton; 0 when it cannot go on. */
  state: 1,
  start: 2,
  /** End of the longest match whose right side is known to be free; -1 when there is none. */
  end: 3,
  /** End of a match behind which a separator stands: it counts unless a digit follows. -1 when there is none. */
  tentative: 4,
  /** Where the last character that the candidate took ends. */
  taken: 5,
  /** 1 when it carries on a run whose beginning is a finding already: then any end will do. */
  carriesOn: 6,
  size: 8,
} as const

/** Adds a candidate; its place in `cells`. */
export const addCandidate = (run: Run, machine: number, start: number): number => {
  const at = run.count * FIELD.size
  if (at === run.cells.length) {
    const larger = new Int32Array(Math.max(8 * FIELD.size, run.cells.length * 2))
    larger.set(run.cells)
    run.cells = larger
  }
  const { cells } = run
  cells[at + FIELD.machine] = machine
  cells[at + FIELD.state] = run.program.start[machine] as number
  cells[at + FIELD.start] = start
  cells[at + FIELD.end] = -1
  cells[at + FIELD.tentative] = -1
  cells[at + FIELD.taken] = start
  cells[at + FIELD.carriesOn] = 0
  run.count++
  return at
}

/**
 * Moves every candidate over one character of class `cls` that ends at `end`. Two candidates of one rule in one state
 * become the earlier one, so their number is bounded by the rules, not by the text.
 */
export const advance = (run: Run, cls: number, end: number): void => {
  const { cells, program, count } = run
  const { column, edge, next, accepting, then, marks } = program
  const { size } = program.alphabet
  marks.now = marks.now === 0x7fffffff ? startAgain(marks) : marks.now + 1
  run.steps += count
  run.end = end
  let spawned: number[] | undefined
  let kept = 0
  for (let from = 0; from < count * FIELD.size; from += FIELD.size) {
    const machine = cells[from + FIELD.machine] as number
    const k = column[machine * size + cls] as number
    if (k === 0) stay(run, from, end)
    else if (!move(run, from, (k << EDGE_BITS) | (edge[machine * size + cls] as number))) continue
    const state = cells[from + FIELD.state] as number
    if (state !== 0) {
      const row = next[state] as number
      if (marks.step[row] === marks.now) {
        keepEarlier(cells, marks.at[row] as number, from)
        continue
      }
      marks.step[row] = marks.now
      marks.at[row] = kept
      if ((then[machine] as number) < 0) {
        if (end - (cells[from + FIELD.start] as number) >= LONGEST) run.unsettled = true
      } else if (accepting[state] === 1) (spawned ??= []).push(then[machine] as number)
    }
    if (kept !== from) copyCandidate(cells, kept, from)
    kept += FIELD.size
  }
  run.count = kept / FIELD.size
  if (spawned !== undefined)
    for (const machine of spawned)
      if (end >= (run.lastEnd[machine] as number)) addCandidate(run, machine, end)
}

/** By hand: the built-in copy costs more than so few numbers are worth. */
const copyCandidate = (cells: Int32Array, to: number, from: number): void => {
  for (let field = 0; field <= FIELD.carriesOn; field++) cells[to + field] = cells[from + field] as number
}

const keepEarlier = (cells: Int32Array, twin: number, from: number): void => {
  if ((cells[from + FIELD.start] as number) < (cells[twin + FIELD.start] as number))
    copyCandidate(cells, twin, from)
}

const startAgain = (marks: Marks): number => {
  marks.step.fill(0)
  return 1
}

/** An ignored character: nothing changes, but what has not begun begins behind it. */
const stay = ({ cells }: Run, from: number, end: number): void => {
  if (cells[from + FIELD.taken] === cells[from + FIELD.start] && cells[from + FIELD.state] !== 0)
    cells[from + FIELD.start] = cells[from + FIELD.taken] = end
}

/** Moves a candidate by a column of its machine, with what the character means beside a match; false when it is gone without one. */
const move = (run: Run, from: number, step: number): boolean => {
  const { cells, program } = run
  const before = cells[from + FIELD.state] as number
  const pending = before !== 0 || (cells[from + FIELD.tentative] as number) >= 0
  endBefore(run, from, step & EDGE)
  const state = program.next[before + (step >> EDGE_BITS)] as number
  cells[from + FIELD.state] = state
  if (state !== 0) cells[from + FIELD.taken] = run.end
  if (state !== 0 || !pending || (cells[from + FIELD.tentative] as number) >= 0) return true
  const matched = (cells[from + FIELD.end] as number) >= 0
  if (matched || run.waiting > 0) run.unsettled = true
  return matched
}

/** A column and an edge in one number, so that nothing is made for a step. */
const EDGE_BITS = 2
const EDGE = 3

/** Notes the match that ends before a character of the given edge. */
export const endBefore = ({ cells, program }: Run, from: number, edge: number): void => {
  const tentative = cells[from + FIELD.tentative] as number
  if (tentative >= 0) {
    if (edge !== BLOCKING) cells[from + FIELD.end] = tentative
    cells[from + FIELD.tentative] = -1
  }
  if ((program.then[cells[from + FIELD.machine] as number] as number) >= 0) return
  const state = cells[from + FIELD.state] as number
  const taken = cells[from + FIELD.taken] as number
  if (cells[from + FIELD.carriesOn] === 1) {
    if (state !== 0 && taken > (cells[from + FIELD.start] as number)) cells[from + FIELD.end] = taken
  } else if (program.accepting[state] === 1) {
    if (edge === FREE) cells[from + FIELD.end] = taken
    else if (edge === SEPARATING) cells[from + FIELD.tentative] = taken
  }
}
