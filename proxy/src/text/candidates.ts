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
  const { cells, program } = run
  const { marks } = program
  marks.now = marks.now === 0x7fffffff ? startAgain(marks) : marks.now + 1
  const count = run.count
  let spawned: number[] | undefined
  let kept = 0
  run.steps += count
  run.end = end
  for (let i = 0; i < count; i++) {
    const from = i * FIELD.size
    if (!move(run, from, { cls, end })) continue
    const state = cells[from + FIELD.state] as number
    if (state !== 0) {
      const row = program.next[state] as number
      if (marks.step[row] === marks.now) {
        const twin = marks.at[row] as number
        if ((cells[from + FIELD.start] as number) < (cells[twin + FIELD.start] as number))
          cells.copyWithin(twin, from, from + FIELD.size)
        continue
      }
      marks.step[row] = marks.now
      marks.at[row] = kept * FIELD.size
      const then = program.then[cells[from + FIELD.machine] as number] as number
      if (then >= 0 && program.accepting[state] === 1) (spawned ??= []).push(then)
      if (then < 0 && end - (cells[from + FIELD.start] as number) >= LONGEST) run.unsettled = true
    }
    if (kept !== i) cells.copyWithin(kept * FIELD.size, from, from + FIELD.size)
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
  const at = (cells[from + FIELD.machine] as number) * program.alphabet.size + cls
  const column = program.column[at] as number
  const before = cells[from + FIELD.state] as number
  if (column === 0) {
    if (cells[from + FIELD.taken] === cells[from + FIELD.start] && before !== 0)
      cells[from + FIELD.start] = cells[from + FIELD.taken] = end
    return true
  }
  const pending = before !== 0 || (cells[from + FIELD.tentative] as number) >= 0
  endBefore(run, from, program.edge[at] as number)
  const state = program.next[before + column] as number
  cells[from + FIELD.state] = state
  if (state !== 0) {
    cells[from + FIELD.taken] = end
    return true
  }
  if (!pending || (cells[from + FIELD.tentative] as number) >= 0) return true
  const matched = (cells[from + FIELD.end] as number) >= 0
  if (matched || run.waiting > 0) run.unsettled = true
  return matched
}

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
