import { isDeepStrictEqual } from 'node:util'
import type { Usage } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'

/** A number of tokens; undefined for what no answer can have used: budgets are settled with it. */
export const tokenCount = (value: Json | undefined): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined

/** Token counts of an OpenAI answer; undefined when one of them is no number of tokens. */
export const openaiUsage = (usage: JsonObject): Usage | undefined => {
  const [input, output] = [usage['prompt_tokens'], usage['completion_tokens']].map((count) =>
    tokenCount(count ?? 0),
  )
  return input === undefined || output === undefined ? undefined : { input, output }
}

/** With the details that the model server gave, unless the guard counted otherwise. */
export const fullUsage = (usage: Usage, received: Json | undefined): Json => {
  const same = isObject(received) && isDeepStrictEqual(openaiUsage(received), usage)
  if (same) return received
  const { input, output } = usage
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
