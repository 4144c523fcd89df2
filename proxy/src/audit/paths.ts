/**
 * The words that may stand in a path as they are: keys of the model APIs. Any other key was chosen by the caller or by the model,
 * such as the argument names of a tool call, and could itself be what must not be written.
 */
const API_KEYS = new Set(
  `messages content text role name system prompt message input suffix instructions user developer
   tools tool functions function function_call tool_calls tool_choice tool_use tool_result tool_use_id tool_call_id arguments parameters
   description input_schema properties items enum required type definitions $defs default examples title anyOf oneOf allOf
   response_format json_schema schema strict stop stop_sequences metadata logit_bias
   choices delta refusal reasoning reasoning_content thinking signature data output annotations
   source document documents context title url file image_url audio guided_choice guided_regex guided_json guided_grammar
   id model error code param embedding embeddings dimensions`.split(/\s+/),
)

const MAX_PATH = 256
const MAX_KNOWN = 2048

const known = new Map<string, string>()

/** `/messages/0/content` stays; keys that are not of the API become `*`. */
export const plainPath = (path: string): string => {
  const found = known.get(path)
  if (found !== undefined) return found
  const plain = path.slice(0, MAX_PATH).split('/').map(plainStep).join('/')
  // Bounded, and only for paths without foreign keys: callers cannot fill it with names of their own.
  if (plain === path && known.size < MAX_KNOWN) known.set(path, plain)
  return plain
}

const plainStep = (step: string): string => {
  const inJson = step.endsWith('#')
  const bare = inJson ? step.slice(0, -1) : step
  const plain =
    bare === '' || API_KEYS.has(bare) || isIndex(bare) ? bare : bare.startsWith('~key') ? '~key' : '*'
  return inJson ? `${plain}#` : plain
}

const isIndex = (step: string): boolean => {
  if (step.length > 5) return false // a longer number could be what somebody's key says
  for (let i = 0; i < step.length; i++) {
    const code = step.charCodeAt(i)
    if (code < 48 || code > 57) return false
  }
  return true
}
