import type { Changes, DialectOptions, Prompt } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Channel, Role } from '../core/text.ts'
import { samplingFields, samplingParams, writeRequest } from './openai-request.ts'
import { readRequest, requestShape } from './request.ts'
import { note, refuse } from './reading.ts'
import { row } from './rows.ts'
import type { Fields, Shape } from './shape.ts'
import { shape as s } from './shapes.ts'

const MAX_NAME = 256

const cacheBreakpoint = s.object({ mode: s.oneOf('explicit'), ttl: s.oneOf('30m', '12h') })

const textPart = (role: Role, channel: Channel): Shape =>
  s.object(
    { type: s.oneOf('text'), text: s.text(role, channel), prompt_cache_breakpoint: cacheBreakpoint },
    'text',
  )

/** A data URL of binary content is opaque; any other URL is a text. */
const mediaUrlRows: Shape['rows'] = (place) => [
  ...row('scanned', { role: 'user', channel: 'parameter' })(place),
  ...row('passed')(`${place} as data URL`),
]

const mediaUrl = s.custom(mediaUrlRows, (value, reading) => {
  if (typeof value !== 'string') return refuse(reading, 'must be a string')
  // The model server fetches it: no files of its own, and no second spelling of a data URL.
  if (/^https?:\/\//.test(value)) return note(reading, value, { role: 'user', channel: 'parameter' })
  const comma = value.indexOf(',')
  if (!/^data:(?:image|audio|video)\/[\w.+-]{1,64};base64$/.test(value.slice(0, Math.min(comma, 100)))) {
    return refuse(reading, 'must be a base64 data URL of an image, audio or video, or an http or https URL')
  }
  s.base64(value.slice(comma + 1), reading)
  return value
})

const media = (key: string, inner: Fields): Shape =>
  s.nonText(
    `content of type ${key}`,
    s.object({ type: s.oneOf(key), [key]: s.object(inner), prompt_cache_breakpoint: cacheBreakpoint }, key),
  )

const fileData = s.custom(row('passed'), (value, reading) => {
  const encoded = typeof value === 'string' ? value.replace(/^data:application\/pdf;base64,/, '') : value
  s.base64(encoded, reading)
  return value
})

const userParts: Fields = {
  text: textPart('user', 'message'),
  image_url: media('image_url', { url: mediaUrl, detail: s.oneOf('auto', 'low', 'high', 'original') }),
  video_url: media('video_url', { url: mediaUrl }),
  audio_url: media('audio_url', { url: mediaUrl }),
  input_audio: media('input_audio', { data: s.base64, format: s.oneOf('wav', 'mp3') }),
  file: media('file', {
    file_data: fileData,
    filename: s.text('user', 'parameter'),
    file_id: s.refused('files kept by the model server cannot be inspected'),
  }),
}

const content = (role: Role, channel: Channel): Shape =>
  s.stringOr(s.text(role, channel), s.list(s.tagged('type', { text: textPart(role, channel) })))

/** Clients send back what they received, so these are the answer's citations. */
const annotations = s.list(
  s.object({
    type: s.oneOf('url_citation'),
    url_citation: s.object({
      start_index: s.integer(0, 1e9),
      end_index: s.integer(0, 1e9),
      title: s.text('assistant', 'document'),
      url: s.text('assistant', 'document'),
    }),
  }),
)

/** `parsed` and `parsed_arguments` are what the OpenAI client's helpers add to a message, which programs then send back. */
const calledFunction = s.object(
  {
    name: s.text('assistant', 'tool_arguments', MAX_NAME),
    arguments: s.jsonText('assistant', 'tool_arguments'),
    parsed_arguments: s.json('assistant', 'tool_arguments'),
  },
  'name',
  'arguments',
)

const toolCallBase: Fields = {
  id: s.text('assistant', 'parameter', MAX_NAME),
  type: s.oneOf('function', 'custom'),
  index: s.integer(0, 10_000),
}

const toolCall = s.tagged('type', {
  function: s.object({ ...toolCallBase, function: calledFunction }, 'id', 'function'),
  custom: s.object(
    {
      ...toolCallBase,
      custom: s.object(
        {
          name: s.text('assistant', 'tool_arguments', MAX_NAME),
          input: s.text('assistant', 'tool_arguments'),
        },
        'name',
        'input',
      ),
    },
    'id',
    'custom',
  ),
})

const message = (role: Role, fields: Fields, ...required: readonly string[]): Shape =>
  s.object(
    {
      role: s.oneOf('developer', 'system', 'user', 'assistant', 'tool', 'function'),
      name: s.nullable(s.text(role, 'parameter', MAX_NAME)),
      ...fields,
    },
    ...required,
  )

const assistantMessage = message('assistant', {
  content: s.nullable(
    s.stringOr(
      s.text('assistant', 'message'),
      s.list(
        s.tagged('type', {
          text: textPart('assistant', 'message'),
          refusal: s.object({ type: s.oneOf('refusal'), refusal: s.text('assistant', 'refusal') }, 'refusal'),
        }),
      ),
    ),
  ),
  refusal: s.nullable(s.text('assistant', 'refusal')),
  reasoning_content: s.nullable(s.text('assistant', 'reasoning')),
  reasoning: s.nullable(s.text('assistant', 'reasoning')),
  tool_calls: s.nullable(s.list(toolCall, { max: 1024 })),
  function_call: s.nullable(calledFunction),
  annotations: s.nullable(annotations),
  parsed: s.json('assistant', 'message'),
  audio: s.nullable(s.refused('audio kept by the model server cannot be inspected')),
})

const messages = s.list(
  s.tagged('role', {
    developer: message('system', { content: content('system', 'message') }, 'content'),
    system: message('system', { content: content('system', 'message') }, 'content'),
    user: message(
      'user',
      { content: s.stringOr(s.text('user', 'message'), s.list(s.tagged('type', userParts))) },
      'content',
    ),
    assistant: assistantMessage,
    tool: message(
      'tool',
      { content: content('tool', 'tool_result'), tool_call_id: s.text('tool', 'parameter', MAX_NAME) },
      'content',
      'tool_call_id',
    ),
    function: message('tool', { content: s.nullable(s.text('tool', 'tool_result')) }, 'content', 'name'),
  }),
  { min: 1 },
)

const definition = s.text('definition', 'tool_definition')

const toolName = s.refined(s.text('definition', 'tool_definition', MAX_NAME), (name, reading) => {
  reading.tools.push(name as string)
  return name
})

const functionDefinition: Fields = {
  name: toolName,
  description: s.nullable(definition),
  parameters: s.nullable(s.schema()),
  strict: s.nullable(s.boolean),
}

const grammar = s.object({ definition, syntax: s.oneOf('lark', 'regex') }, 'definition')

const customFormat = s.tagged('type', {
  text: s.object({ type: s.oneOf('text') }),
  grammar: s.object({ type: s.oneOf('grammar'), grammar }, 'grammar'),
})

const tool = s.tagged(
  'type',
  {
    function: s.object(
      { type: s.oneOf('function'), function: s.object(functionDefinition, 'name') },
      'function',
    ),
    custom: s.object(
      {
        type: s.oneOf('custom'),
        custom: s.object({ name: toolName, description: definition, format: customFormat }, 'name'),
      },
      'custom',
    ),
  },
  { why: 'tools that run on the model server and MCP servers cannot be inspected' },
)

const chosenName = s.object({ name: s.text('definition', 'tool_definition', MAX_NAME) }, 'name')

const chosenTools: Fields = {
  function: s.object({ type: s.oneOf('function'), function: chosenName }, 'function'),
  custom: s.object({ type: s.oneOf('custom'), custom: chosenName }, 'custom'),
}

const allowedTools = s.object(
  { mode: s.oneOf('auto', 'required'), tools: s.list(s.tagged('type', chosenTools), { max: 1024 }) },
  'mode',
  'tools',
)

const toolChoice = s.stringOr(
  s.oneOf('none', 'auto', 'required'),
  s.tagged('type', {
    ...chosenTools,
    allowed_tools: s.object({ type: s.oneOf('allowed_tools'), allowed_tools: allowedTools }, 'allowed_tools'),
  }),
)

const responseFormat = s.tagged('type', {
  text: s.object({ type: s.oneOf('text') }),
  json_object: s.object({ type: s.oneOf('json_object'), schema: s.schema('definition', 'parameter') }),
  json_schema: s.object(
    {
      type: s.oneOf('json_schema'),
      json_schema: s.object(
        {
          name: s.text('definition', 'parameter', MAX_NAME),
          description: s.text('definition', 'parameter'),
          schema: s.schema('definition', 'parameter'),
          strict: s.nullable(s.boolean),
        },
        'name',
      ),
    },
    'json_schema',
  ),
})

const parameter = s.nullable(s.text('definition', 'parameter'))
const onServer = 'state kept by the model server cannot be inspected'

const fields: Fields = {
  ...samplingFields,
  messages,
  audio: s.nullable(s.refused('audio answers cannot be inspected')),
  function_call: s.stringOr(s.oneOf('none', 'auto'), chosenName),
  functions: s.list(s.object(functionDefinition, 'name'), { max: 1024 }),
  logprobs: s.nullable(s.boolean),
  max_completion_tokens: s.nullable(s.integer(0, 10_000_000)),
  metadata: s.nullable(s.named('definition', 'parameter', s.text('definition', 'parameter'))),
  modalities: s.nullable(s.list(s.oneOf('text'), { max: 1 })),
  moderation: s.nullable(s.refused('results of moderation by the model server cannot be passed on')),
  parallel_tool_calls: s.nullable(s.boolean),
  prediction: s.nullable(
    s.object({ type: s.oneOf('content'), content: content('definition', 'message') }, 'content'),
  ),
  previous_response_id: s.nullable(s.refused(onServer)),
  prompt_cache_key: parameter,
  prompt_cache_options: s.object({ mode: s.oneOf('implicit', 'explicit'), ttl: s.oneOf('30m') }),
  prompt_cache_retention: s.nullable(s.oneOf('in_memory', 'in-memory', '24h')),
  reasoning_effort: s.nullable(s.oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')),
  response_format: responseFormat,
  safety_identifier: parameter,
  service_tier: s.nullable(s.oneOf('auto', 'default', 'flex', 'scale', 'priority', 'fast')),
  store: s.custom(row('number', { note: `only false: ${onServer}` }), (value, reading) =>
    value === false || value === null ? value : refuse(reading, onServer),
  ),
  tool_choice: toolChoice,
  tools: s.list(tool, { max: 1024 }),
  top_logprobs: s.nullable(s.integer(0, 100)),
  verbosity: s.nullable(s.oneOf('low', 'medium', 'high')),
  web_search_options: s.refused('tools that run on the model server cannot be inspected'),
}

const table = {
  shape: requestShape(fields, 'model', 'messages'),
  upstreamPath: '/v1/chat/completions',
  params: samplingParams,
}

export const chatRequestRows = table.shape.rows('')

export const readChat = (body: JsonObject, options: DialectOptions): Prompt =>
  readRequest(body, options, table)

export const writeChat = (prompt: Prompt, changes: Changes): JsonObject => {
  const body = writeRequest(prompt, changes)
  return changes.removeTools.length === 0
    ? body
    : withoutTools(prompt.body, body, new Set(changes.removeTools))
}

/** The name that a tool, a function or a choice of one goes by. */
const nameOf = (value: Json | undefined): string | undefined => {
  if (!isObject(value)) return undefined
  const inner = value['function'] ?? value['custom'] ?? value
  return isObject(inner) && typeof inner['name'] === 'string' ? inner['name'] : undefined
}

const list = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : []

/** `original` has the names that policy knows; `body` may have edited ones at the same places. */
const withoutTools = (original: JsonObject, body: JsonObject, removed: ReadonlySet<string>): JsonObject => {
  const stays = (value: Json | undefined): boolean => !removed.has(nameOf(value) ?? '')
  const left: Record<string, Json> = { ...body }
  for (const [tools, choice] of [
    ['tools', 'tool_choice'],
    ['functions', 'function_call'],
  ] as const) {
    if (!Object.hasOwn(original, tools)) continue
    const kept = list(body[tools]).filter((_, index) => stays(list(original[tools])[index]))
    left[tools] = kept
    if (!stays(original[choice])) left[choice] = 'none' // the model may not call another tool than the one asked for
    if (kept.length === 0)
      for (const key of [tools, choice, 'parallel_tool_calls']) Reflect.deleteProperty(left, key)
  }
  const allowed = isObject(original['tool_choice']) ? original['tool_choice']['allowed_tools'] : undefined
  if (!isObject(allowed) || left['tool_choice'] === undefined) return left
  return { ...left, tool_choice: narrowed(left['tool_choice'], list(allowed['tools']).map(stays)) }
}

const narrowed = (choice: Json, stays: readonly boolean[]): Json => {
  const allowed = isObject(choice) ? choice['allowed_tools'] : undefined
  if (!isObject(allowed)) return choice
  const tools = list(allowed['tools']).filter((_, index) => stays[index])
  return tools.length === 0 ? 'none' : { type: 'allowed_tools', allowed_tools: { ...allowed, tools } }
}
