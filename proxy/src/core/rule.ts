/**
 * One pattern rule: a row of a table. Patterns use a small regular language that compiles to automata, never to a V8 regex:
 * literals, `\` escapes, classes `[a-z0-9_]` and `[^…]`, `\d \w \s`, groups `(?:a|b)`, and the quantifiers `? {n} {n,m} {n,}`.
 * Each pattern begins with a literal or a class (its trigger); `{n,}` is bounded by the engine, see text/.
 */
export interface Rule {
  readonly pattern: string
  /** What must stand directly before the finding without being part of it, such as `aws_secret_access_key\s{0,4}=\s{0,4}`. */
  readonly prefix?: string
  /** Characters before the trigger that belong to the finding, such as the local part of an e-mail address: a class and its most repetitions. */
  readonly lead?: { readonly class: string; readonly min: number; readonly max: number }
  readonly ignoreCase?: boolean
  /**
   * What may not stand next to a finding. `word` (default): a letter, digit or underscore; `digit`: a digit, or a
   * separator (`-` or `.`) and a digit; `token`: a letter, digit or one of `_-./+=`; `none`: anything may.
   */
  readonly bounds?: 'word' | 'digit' | 'token' | 'none'
  /** The last word, such as a checksum. Gets the finding's characters; must be linear and never throw. */
  readonly check?: (found: string) => boolean
  /** Evidence code to report when `check` passed, such as `luhn`. */
  readonly evidence?: string
  /** 0 to 1; 1 when absent. */
  readonly score?: number
  /**
   * What the rule reads. `plain` (default): the text without invisible characters, full-width forms as ASCII.
   * `folded`: also lower case, look-alike letters as the letters they imitate, white space and punctuation runs as one blank.
   * `raw`: the UTF-16 units as they arrived, invisible characters, surrogates and all.
   */
  readonly view?: 'plain' | 'folded' | 'raw'
}
