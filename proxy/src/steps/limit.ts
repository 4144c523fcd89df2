import type { Caller } from '../core/caller.ts'
import type { Prompt } from '../core/dialect.ts'
import type { Lease, Limiter } from '../core/limits.ts'
import type { Notes } from '../core/notes.ts'
import type { PolicyEngine } from '../core/policy.ts'

export interface LimitParts {
  readonly limiter: Limiter
  readonly policy: PolicyEngine
  /** Output tokens reserved for a request that names no maximum. */
  readonly defaultOutputTokens: number
}

/** English runs near four characters a token in the common vocabularies; the real usage settles the difference. */
const CHARS_PER_TOKEN = 4
/** Role markers and separators of one message in the common chat templates. */
const TOKENS_PER_TEXT = 4

export const estimateInput = (prompt: Prompt): number =>
  prompt.texts.reduce(
    (sum, text) => sum + TOKENS_PER_TEXT + Math.ceil(text.value.length / CHARS_PER_TOKEN),
    0,
  )

export const estimateOutput = (chars: number): number => Math.ceil(chars / CHARS_PER_TOKEN)

/** Takes a place and the tokens that the exchange may cost, before anything is spent on it. */
export const limitStep =
  ({ limiter, policy, defaultOutputTokens }: LimitParts) =>
  async (caller: Caller, prompt: Prompt, notes: Notes): Promise<Lease> => {
    const rates = await policy.limits({ caller, model: prompt.model })
    const output = (prompt.params.max_tokens ?? defaultOutputTokens) * (prompt.params.n ?? 1)
    const input = estimateInput(prompt)
    notes.estimated = { input, output: 0 }
    const lease = await limiter.reserve({ caller, model: prompt.model, rates, tokens: input + output })
    notes.lease = lease
    return lease
  }
