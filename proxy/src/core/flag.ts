/** What is noted about an exchange beyond its outcome. A closed set: each is a label value. */
export type Flag =
  | 'entropy_high'
  | 'tool_not_offered'
  | 'tool_new_for_caller'
  | 'tool_new_for_role'
  | 'argument_new'
  | 'address_new'
  | 'rate_caller'
  | 'rate_address'
  | 'rate_role'
  | 'refusals_caller'
  | 'refusals_address'
  | 'refusals_role'

/** How unsure the model was over one answer, from the probabilities of its tokens. */
export interface EntropyStats {
  /** Tokens whose probabilities could be read. */
  readonly tokens: number
  /** Bits; a lower bound, see behaviour/entropy.ts. */
  readonly mean: number
  readonly max: number
}
