import type { LimitsInput, PolicyAnswer, PolicyInput } from '../core/policy.ts'

/** Far above any honest request: 128 tools with names of 64 characters make 9,000. What is asked costs time: see policies/README.md. */
const MAX_INPUT_CHARS = 16_384
const MAX_MODEL_CHARS = 256

/** `JSON.stringify` writes half a surrogate pair so, and engines disagree about what it then is. */
const LONE_SURROGATE = /\\ud[89a-f]/

/** What an engine is asked, as JSON, or the denial of a caller who makes it too large or ambiguous to be asked. */
export const question = (input: PolicyInput): string | PolicyAnswer => {
  const json = JSON.stringify(input)
  if (json.length > MAX_INPUT_CHARS) return { allow: false, reasons: ['input_too_large'] }
  if (LONE_SURROGATE.test(json)) return { allow: false, reasons: ['input_malformed'] }
  return json
}

/** A model name that no limit can be meant for becomes the empty one: whether it exists is decided later. */
export const limitsQuestion = ({ caller, model }: LimitsInput): LimitsInput => ({
  caller,
  model: model.length <= MAX_MODEL_CHARS && model.isWellFormed() ? model : '',
})
