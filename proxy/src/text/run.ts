import type { Finding } from '../core/finding.ts'
import type { Program } from './program.ts'

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
  /** Some candidate ended with a match, or one that others waited for is gone. */
  unsettled: boolean
  /** Candidates that matched and wait for an earlier one of their rule. */
  waiting: number
  /** By machine: where its last finding ends; what begins before is part of it. */
  readonly lastEnd: Int32Array
  found: Finding[]
  /** Characters read and candidates advanced: what the work is proportional to. */
  steps: number
}

/** How far back a candidate may reach from where its trigger ends, and what is looked at on its left. */
export const LOOKBACK = 256

/** The longest finding. A run that goes on becomes consecutive findings, so that nothing is held or missed for its length. */
export const LONGEST = 2048

export const startRun = (program: Program): Run => ({
  program,
  text: '',
  base: 0,
  trigger: 0,
  rough: false,
  cells: new Int32Array(8 * 8),
  count: 0,
  unsettled: false,
  waiting: 0,
  lastEnd: new Int32Array(program.machines.length),
  found: [],
  steps: 0,
})
