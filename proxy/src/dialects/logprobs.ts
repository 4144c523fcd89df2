import type { TokenLogprob } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Rows } from './rows.ts'
import { row } from './rows.ts'
import { custom } from './shape.ts'

/** What becomes of token probabilities, in either format and whole or streamed. */
export const logprobRows: Rows = (place) =>
  row('scanned', {
    role: 'assistant',
    channel: 'message',
    note: 'tokens that make exactly the text; the alternatives of each rank as one text; dropped otherwise',
  })(`${place}/**`)

/** More alternatives than any model server gives. */
const MAX_TOP = 128

/** The server's own copy of the tokens: read apart, once the text is known. */
export const unreadLogprobs = custom(logprobRows, (value) => value)

/** The OpenAI chat format, read into tokens; undefined when it is not in that format. */
export const tokensOf = (list: Json | undefined): readonly TokenLogprob[] | undefined => {
  if (!Array.isArray(list)) return undefined
  const tokens: TokenLogprob[] = []
  for (const entry of list as readonly Json[]) {
    const token = tokenOf(entry)
    const top = isObject(entry) ? (entry['top_logprobs'] ?? []) : undefined
    if (token === undefined || !Array.isArray(top) || top.length > MAX_TOP) return undefined
    const alternatives = (top as readonly Json[]).map(tokenOf)
    if (!alternatives.every((alternative) => alternative !== undefined)) return undefined
    tokens.push({ ...token, top: alternatives })
  }
  return tokens
}

const tokenOf = (value: Json): { token: string; logprob: number } | undefined => {
  if (!isObject(value)) return undefined
  const { token, logprob } = value
  return typeof token === 'string' && typeof logprob === 'number' ? { token, logprob } : undefined
}

/** The OpenAI chat format. Bytes are made from the token, so that they cannot say something else. */
export const chatLogprobs = (tokens: readonly TokenLogprob[]): Json =>
  tokens.map(({ token, logprob, top }) => ({
    ...withBytes({ token, logprob }),
    top_logprobs: top.map(withBytes),
  }))

const withBytes = ({ token, logprob }: { readonly token: string; readonly logprob: number }): JsonObject => ({
  token,
  logprob,
  bytes: [...Buffer.from(token)],
})

/**
 * The texts that a reader could put together from the alternatives: for each rank, the alternatives of that rank joined.
 * Together with the content, which the tokens themselves make, this is all that probabilities say.
 */
export const alternativeTexts = (tokens: readonly TokenLogprob[]): readonly string[] => {
  const ranks = tokens.reduce((most, { top }) => Math.max(most, top.length), 0)
  return Array.from({ length: ranks }, (_, rank) => tokens.map(({ top }) => top[rank]?.token ?? '').join(''))
}

export const joined = (tokens: readonly TokenLogprob[]): string => tokens.map(({ token }) => token).join('')
