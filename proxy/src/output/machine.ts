import type { Category } from '../core/finding.ts'

/** What a machine saw: places in the text, and the host that they lead to where there is one. */
export interface Sighting {
  readonly rule: ActiveRule
  readonly start: number
  readonly end: number
  readonly host?: string
}

/** Reads a text one UTF-16 unit at a time and keeps only what it needs. */
export interface Machine {
  /** `at` is the offset of `code`. */
  step(code: number, at: number): void
  /** Whether a word, ASCII letters and digits, can be given as one. */
  idle(): boolean
  /** Whether what comes reads otherwise because of what was before. */
  open(): boolean
  /** The same as a step for each of its units. */
  word(word: string): void
  /** The text ends at this offset. */
  end(at: number): void
  /** Offset from which text may still become part of a sighting; Infinity when none may. */
  held(): number
}

export type Report = (sighting: Sighting) => void

export type ActiveRule = keyof typeof activeRules

/** What a browser, a terminal or a spreadsheet acts on when an answer is shown in it. */
export const activeRules = {
  'markdown-image': 'active_content',
  'link-with-data': 'active_content',
  'html-resource': 'active_content',
  'html-script': 'active_content',
  'script-url': 'active_content',
  'terminal-escape': 'active_content',
  'spreadsheet-formula': 'active_content',
} as const satisfies Record<string, Category>
