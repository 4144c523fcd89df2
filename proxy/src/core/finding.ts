import type { Text } from './text.ts'

export type Category = 'secret' | 'personal_data' | 'injection' | 'invisible_text'

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
}

/** The findings of one text; `findings` is ordered by start, then by longest. */
export interface Scanned {
  readonly text: Text
  readonly findings: readonly Finding[]
}
