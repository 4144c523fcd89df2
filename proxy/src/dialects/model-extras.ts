import type { Fields } from './shape.ts'
import { shape as s } from './shapes.ts'

const count = s.nullable(s.integer(-1, 10_000_000))
const amount = s.nullable(s.number(-100, 100_000))
const flag = s.nullable(s.boolean)
const words = s.nullable(s.text('definition', 'parameter'))
const documents = s.nullable(s.json('user', 'document'))
const anything = s.nullable(s.json('definition', 'parameter'))
/** What rewrites the prompt speaks with the voice of the system. */
const template = s.nullable(s.text('system', 'message'))

/**
 * Request keys of model servers (vLLM, TGI, llama.cpp, Ollama) that the OpenAI API does not have. Each passes only where the
 * operator allows it by name. Names that are not here can be allowed too; then every string in them is a text.
 */
export const modelExtras: Fields = {
  add_generation_prompt: flag,
  add_special_tokens: flag,
  adapter_id: words,
  allowed_token_ids: s.nullable(s.list(s.integer(0, 10_000_000), { max: 1000 })),
  bad_words: s.nullable(s.list(s.text('definition', 'parameter'), { max: 1000 })),
  best_of: s.nullable(s.integer(1, 128)),
  cache_salt: words,
  chat_template: template,
  chat_template_kwargs: s.nullable(s.json('system', 'message')),
  continue_final_message: flag,
  documents,
  dynatemp_exponent: amount,
  dynatemp_range: amount,
  echo: flag,
  grammar: words,
  guided_choice: s.nullable(s.list(s.text('definition', 'parameter'), { max: 1000 })),
  guided_decoding_backend: words,
  guided_grammar: words,
  guided_json: s.nullable(
    s.stringOr(s.jsonText('definition', 'parameter'), s.schema('definition', 'parameter')),
  ),
  guided_regex: words,
  guided_whitespace_pattern: words,
  id_slot: count,
  ignore_eos: flag,
  include_stop_str_in_output: flag,
  json_schema: s.nullable(s.schema('definition', 'parameter')),
  keep_alive: s.nullable(s.stringOr(s.text('definition', 'parameter', 64), s.number(-1, 10_000_000))),
  length_penalty: amount,
  min_p: s.nullable(s.number(0, 1)),
  min_tokens: count,
  mirostat: count,
  mirostat_eta: amount,
  mirostat_tau: amount,
  num_ctx: count,
  options: anything,
  priority: s.nullable(s.integer(-1_000_000, 1_000_000)),
  repeat_last_n: count,
  repeat_penalty: amount,
  repetition_penalty: amount,
  request_id: words,
  skip_special_tokens: flag,
  spaces_between_special_tokens: flag,
  stop_token_ids: s.nullable(s.list(s.integer(0, 10_000_000), { max: 1000 })),
  structural_tag: words,
  structured_outputs: anything,
  tfs_z: amount,
  think: s.nullable(s.stringOr(s.oneOf('low', 'medium', 'high'), s.boolean)),
  tool_prompt: template,
  top_k: count,
  truncate_prompt_tokens: count,
  typical_p: amount,
  use_beam_search: flag,
  vllm_xargs: anything,
}
