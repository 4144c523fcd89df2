import { isDeepStrictEqual } from 'node:util'
import type { Usage } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'

/** Token counts of an OpenAI answer. */
export const openaiUsage = (usage: JsonObject): Usage => ({
  input: typeof usage['prompt_tokens'] === 'number' ? usage['prompt_tokens'] : 0,
  output: typeof usage['completion_tokens'] === 'number' ? usage['completion_tokens'] : 0,
})

/** With the details that the model server gave, unless the guard counted otherwise. */
export const fullUsage = (usage: Usage, received: Json | undefined): Json => {
  const same = isObject(received) && isDeepStrictEqual(openaiUsage(received), usage)
  if (same) return received
  const { input, output } = usage
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
