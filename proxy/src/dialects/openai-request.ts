import type { Changes, Prompt } from '../core/dialect.ts'
import { withEdits } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Params } from '../core/policy.ts'
import { refuse } from './reading.ts'
import { row } from './rows.ts'
import type { Fields } from './shape.ts'
import { shape as s } from './shapes.ts'

const parameter = s.text('definition', 'parameter')
const penalty = s.nullable(s.number(-2, 2))

const logitBias = s.custom(
  (place) => row('number')(`${place}/*`),
  (value, reading) => {
    if (!isObject(value)) return refuse(reading, 'must be an object')
    for (const [token, bias] of Object.entries(value)) {
      const valid = /^\d{1,8}$/.test(token) && typeof bias === 'number' && Math.abs(bias) <= 100
      if (!valid) refuse(reading, 'must map token numbers to numbers from -100 to 100')
    }
    return value
  },
)

/** What the chat and completions requests have in common. */
export const samplingFields: Fields = {
  model: s.model,
  frequency_penalty: penalty,
  logit_bias: s.nullable(logitBias),
  max_tokens: s.nullable(s.integer(0, 10_000_000)),
  n: s.nullable(s.integer(1, 128)),
  presence_penalty: penalty,
  seed: s.nullable(s.integer(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  stop: s.nullable(s.stringOr(parameter, s.list(parameter, { max: 64 }))),
  stream: s.nullable(s.boolean),
  stream_options: s.nullable(s.object({ include_usage: s.boolean, include_obfuscation: s.boolean })),
  temperature: s.nullable(s.number(0, 2)),
  top_p: s.nullable(s.number(0, 1)),
  user: s.nullable(parameter),
}

const numbers = (...values: readonly (Json | undefined)[]): number[] =>
  values.filter((value) => typeof value === 'number')

/** The largest of the numbers under a parameter name, or nothing when the request sets none. */
const largest = <K extends string>(
  name: K,
  ...values: readonly (Json | undefined)[]
): Partial<Record<K, number>> => {
  const set = numbers(...values)
  return set.length === 0 ? {} : ({ [name]: Math.max(...set) } as Partial<Record<K, number>>)
}

export const samplingParams = (body: JsonObject): Params => {
  const stop = body['stop']
  const bias = body['logit_bias']
  return {
    ...largest('n', body['n'], body['best_of']),
    ...largest('max_tokens', body['max_tokens'], body['max_completion_tokens']),
    ...largest('top_logprobs', body['top_logprobs'], body['logprobs']),
    ...(typeof stop === 'string' ? { stop: 1 } : Array.isArray(stop) ? { stop: stop.length } : {}),
    ...(isObject(bias) ? { logit_bias: Object.keys(bias).length } : {}),
  }
}

const capped = (body: JsonObject, cap: number | undefined): JsonObject => {
  if (cap === undefined) return {}
  const set = ['max_tokens', 'max_completion_tokens'].filter((key) => typeof body[key] === 'number')
  if (set.length === 0) return { max_tokens: cap }
  return Object.fromEntries(set.map((key) => [key, Math.min(body[key] as number, cap)]))
}

/** The body with model, edits and caps. A stream always reports usage; the codec leaves it out for a client that did not ask. */
export const writeRequest = (prompt: Prompt, changes: Changes): JsonObject => {
  const body = withEdits(prompt.body, changes.edits)
  const asked = prompt.body['stream_options']
  return {
    ...body,
    model: changes.model,
    ...capped(body, changes.maxTokens),
    ...(prompt.stream ? { stream_options: { ...(isObject(asked) ? asked : {}), include_usage: true } } : {}),
  }
}
