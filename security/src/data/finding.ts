import type { Row } from './rows.ts'

export type Check =
  | 'conflicting-duplicates'
  | 'repeated-text'
  | 'label-flip'
  | 'backdoor-trigger'
  | 'text-outlier'
  | 'instruction-in-data'
  | 'secret-in-data'
  | 'hidden-text'
  | 'vector-outlier'
  | 'vector-collision'

/** What looks poisoned, and where. Never the text itself: it may be what must not be spread. */
export interface DataFinding {
  readonly check: Check
  /** Lines concerned. */
  readonly lines: readonly number[]
  /** How many they are. */
  readonly count: number
  readonly why: string
}

export const found = (check: Check, rows: readonly Row[], why: string): DataFinding => ({
  check,
  lines: rows.map(({ line }) => line),
  count: rows.length,
  why,
})

/** Lower-case words; everything else separates them. */
export const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
