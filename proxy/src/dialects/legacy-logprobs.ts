import type { TokenLogprob } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'

/** One token of an OpenAI text completion. The first of an echoed prompt has no probability. */
export interface LegacyToken {
  readonly token: string
  readonly logprob: number | null
  readonly top: readonly { readonly token: string; readonly logprob: number }[]
}

/** The probabilities of an OpenAI text completion, read into tokens; undefined when they are not in that format. */
export const legacyTokens = (value: Json | undefined): readonly LegacyToken[] | undefined => {
  if (!isObject(value)) return undefined
  const { tokens, token_logprobs: logprobs, top_logprobs: tops } = value
  if (!Array.isArray(tokens) || !Array.isArray(logprobs) || logprobs.length !== tokens.length)
    return undefined
  const read = (tokens as readonly Json[]).map((token, index): LegacyToken | undefined => {
    const logprob = (logprobs as readonly Json[])[index]
    const top = alternatives(Array.isArray(tops) ? ((tops as readonly Json[])[index] ?? null) : null)
    const valid = typeof token === 'string' && (typeof logprob === 'number' || logprob === null)
    return valid && top !== undefined ? { token, logprob, top } : undefined
  })
  return read.every((token) => token !== undefined) ? read : undefined
}

const alternatives = (value: Json): LegacyToken['top'] | undefined => {
  if (value === null) return []
  if (!isObject(value)) return undefined
  const top = Object.entries(value).flatMap(([token, logprob]) =>
    typeof logprob === 'number' ? [{ token, logprob }] : [],
  )
  return top.length > 128 ? undefined : top
}

/** In the format of an OpenAI text completion; `offset` is where the first token begins, in UTF-16 units. */
export const legacyLogprobs = (tokens: readonly LegacyToken[], offset: number): JsonObject => {
  let at = offset
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) =>
      top.length === 0 ? null : Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: tokens.map(({ token }) => (at += token.length) - token.length),
  }
}

/** Undefined when a token has no probability: the tokens of a stream all have one. */
export const streamTokens = (value: Json | undefined): readonly TokenLogprob[] | undefined => {
  const tokens = legacyTokens(value)
  const known = tokens?.filter((token): token is TokenLogprob => token.logprob !== null)
  return known?.length === tokens?.length ? known : undefined
}
