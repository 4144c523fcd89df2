import type { Text } from './text.ts'

export const categories = [
  'secret',
  'personal_data',
  'injection',
  'invisible_text',
  // Only in answers: what a browser, a terminal or a spreadsheet acts on.
  'active_content',
  // A model that only repeats itself, and orders to do so.
  'repetition',
  // Only in the arguments of tool calls: what a tool should not be told to do.
  'tool_argument',
] as const

export type Category = (typeof categories)[number]

/**
 * A place in a text. Never carries the text itself.
 * `start` and `end` are UTF-16 offsets into the original text, `end` exclusive; `score` is 0 to 1.
 * `evidence` holds codes such as `luhn` or `decoded:base64`, never characters of the text.
 */
export interface Finding {
  readonly rule: string
  readonly category: Category
  readonly score: number
  readonly start: number
  readonly end: number
  readonly evidence: readonly string[]
  /** Where it leads, for the policy's list of hosts; empty when that cannot be told. Never recorded. */
  readonly host?: string
}

/** The findings of one text; `findings` is ordered by start, then by longest. */
export interface Scanned {
  readonly text: Text
  readonly findings: readonly Finding[]
}

/** The order in which findings are acted upon: by start, then the longest, then by rule, so that every cut of a stream agrees. */
export const byPlace = (a: Finding, b: Finding): number =>
  a.start - b.start || b.end - a.end || (a.rule < b.rule ? -1 : Number(a.rule > b.rule))

/** One rule at one place. */
export const isSamePlace = (a: Finding, b: Finding): boolean =>
  a.rule === b.rule && a.start === b.start && a.end === b.end
