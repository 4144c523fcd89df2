import type { JsonObject } from '../../core/json.ts'

export const logprob = (token: string, ...top: string[]): JsonObject => ({
  token,
  logprob: -0.5,
  bytes: [...Buffer.from(token)],
  top_logprobs: top.map((alternative) => ({
    token: alternative,
    logprob: -1,
    bytes: [...Buffer.from(alternative)],
  })),
})

export const usage = {
  prompt_tokens: 12,
  completion_tokens: 7,
  total_tokens: 19,
  prompt_tokens_details: { cached_tokens: 4 },
}
