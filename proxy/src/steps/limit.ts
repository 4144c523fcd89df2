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

export interface Cost {
  readonly model: string
  /** Tokens, estimated. */
  readonly input: number
  readonly output: number
}

export const costOf = (prompt: Prompt, defaultOutputTokens: number): Cost => ({
  model: prompt.model,
  input: estimateInput(prompt),
  output: (prompt.params.max_tokens ?? defaultOutputTokens) * (prompt.choices ?? 1),
})

/** Takes a place and the tokens that the exchange may cost, before anything is spent on it. */
export const limitStep =
  ({ limiter, policy, defaultOutputTokens }: LimitParts) =>
  async (caller: Caller, prompt: Prompt | undefined, notes: Notes): Promise<Lease> => {
    const cost = prompt ? costOf(prompt, defaultOutputTokens) : { model: '', input: 0, output: 0 }
    const rates = await policy.limits({ caller, model: cost.model })
    notes.estimated = { input: cost.input, output: 0 }
    notes.reserved = { input: cost.input, output: cost.output }
    const tokens = cost.input + cost.output
    const lease = await limiter.reserve({ caller, model: cost.model, rates, tokens })
    notes.lease = lease
    return lease
  }
