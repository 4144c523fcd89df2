import type { RuleId } from './rules.ts'

export type Level = 'error' | 'warning' | 'note'

/** UTF-16 offsets into the file, `end` exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** `safe` ones are what `--fix` applies: they change no behaviour that a caller could rely on. Others are only suggested. */
export interface Fix {
  readonly title: string
  readonly safe: boolean
  readonly edits: readonly (Span & { readonly insert: string })[]
}

/** A place in one file. Never carries a secret: messages name rules, variables and functions only. */
export interface Finding extends Span {
  readonly rule: RuleId
  /** The file, where that is another one than the file that is read. */
  readonly path?: string
  /** Only a name says so: the flow, where it is known, is right against it. */
  readonly isGuess?: boolean
  /** Absent: the rule's own. */
  readonly level?: Level
  readonly message: string
  readonly fix?: Fix
}
