import type { Category, Finding } from './finding.ts'
import type { Text } from './text.ts'

/** Tells for which rules text must be held back: those that the policy redacts or blocks. */
export type Holds = (rule: string, category: Category) => boolean

/** Text in, places out. Linear in the length of the text, whatever the text. */
export interface Scanner {
  readonly name: string
  /** Every rule id that can appear in a finding, with its category. */
  readonly rules: ReadonlyMap<string, Category>
  scan(text: string): readonly Finding[]
  open(holds: Holds): ScanSession
}

/**
 * The same scan over a text that arrives in pieces. Where the pieces are cut changes nothing:
 * the findings of all calls together equal those of `scan` on the whole.
 */
export interface ScanSession {
  /** Findings that no later text can change, in the order they became certain. */
  push(piece: string): readonly Finding[]
  /** Says that the text is complete. Afterwards `cleared` is its length. */
  end(): readonly Finding[]
  /**
   * UTF-16 offset. No finding of a held rule that starts before it is still to come, and it never falls between the
   * halves of a surrogate pair. Never decreases.
   */
  readonly cleared: number
  /** True while what comes reads otherwise because of what was before, although that is cleared: inside a tag, say. */
  readonly open?: boolean
}

/** What an argument of a tool call would do, given what the texts of the request said. Linear in the length of the argument. */
export type ArgumentCheck = (said: readonly Text[]) => (argument: string) => readonly Finding[]
