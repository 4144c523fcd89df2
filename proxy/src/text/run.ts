import type { Finding } from '../core/finding.ts'
import type { Program } from './program.ts'
import { KEPT } from './reach.ts'

/** One pass of a program over one text, as far as it has come. Offsets are UTF-16 units from the beginning of the whole text. */
export interface Run {
  readonly program: Program
  /** The part of the text that is still known: at least LOOKBACK units before what is being read. */
  text: string
  /** Offset of `text`. */
  base: number
  /** State of the trigger automaton. */
  trigger: number
  /** Whether any character so far was one that a view ignores or that takes two units. */
  rough: boolean
  /** Candidates, FIELDS numbers each. */
  cells: Int32Array
  count: number
  /** Where the last character ends that candidates were moved over. */
  end: number
  /** Some candidate ended with a match, or one that others waited for is gone. */
  unsettled: boolean
  /** Candidates that matched and wait for an earlier one of their rule. */
  waiting: number
  /** By machine: where its last finding ends; what begins before is part of it. The program's `noEnds` until there is one. */
  lastEnd: Int32Array
  found: Finding[]
  /** Characters read and candidates advanced: what the work is proportional to. */
  steps: number
  /** Characters that candidates were tried on before they were followed. */
  tried: number
}

export const startRun = (program: Program): Run => ({
  program,
  text: '',
  base: 0,
  trigger: 0,
  rough: false,
  cells: NO_CELLS,
  count: 0,
  end: 0,
  unsettled: false,
  waiting: 0,
  lastEnd: program.noEnds,
  found: [],
  steps: 0,
  tried: 0,
})

const NO_CELLS = new Int32Array()

/** Makes a run ready for another text. */
export const restart = (run: Run): void => {
  run.text = ''
  run.base = 0
  run.trigger = 0
  run.rough = false
  run.count = 0
  run.end = 0
  run.unsettled = false
  run.waiting = 0
  run.lastEnd = run.program.noEnds
  run.found = []
  run.steps = 0
  run.tried = 0
}

/** A run that goes on from the same place on its own. */
export const copyRun = (run: Run): Run => ({
  ...run,
  cells: run.cells.slice(),
  lastEnd: run.lastEnd === run.program.noEnds ? run.lastEnd : run.lastEnd.slice(),
  found: [],
})

/** Whether two runs of a program whose last texts are the same will find the same from here on. */
export const isInStep = (one: Run, other: Run): boolean =>
  one.count === 0 &&
  other.count === 0 &&
  one.trigger === other.trigger &&
  endedLongAgo(one) &&
  endedLongAgo(other)

/** Nothing that begins from here on can reach back over a finding's end. */
const endedLongAgo = ({ lastEnd, program, base, text }: Run): boolean =>
  lastEnd === program.noEnds || lastEnd.every((end) => end <= base + text.length - KEPT)
