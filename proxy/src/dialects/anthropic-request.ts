import type { Changes, DialectOptions, Prompt } from '../core/dialect.ts'
import { withEdits } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Params } from '../core/policy.ts'
import type { Channel, Role } from '../core/text.ts'
import { refuse } from './reading.ts'
import { readRequest, requestShape } from './request.ts'
import type { Fields, Shape } from './shape.ts'
import { shape as s } from './shapes.ts'

/** The model server fetches it: no files of its own. */
const webUrl = (role: Role): Shape =>
  s.refined(s.text(role, 'parameter'), (url, reading) =>
    /^https?:\/\//.test(url as string) ? url : refuse(reading, 'must be an http or https URL'),
  )

const MAX_NAME = 256
const ON_SERVER = 'what runs or is kept on the model server cannot be inspected'

const cacheControl = s.nullable(s.object({ type: s.oneOf('ephemeral'), ttl: s.oneOf('5m', '1h') }, 'type'))

const citation = (role: Role): Shape => {
  const said = s.nullable(s.text(role, 'document'))
  const place = s.integer(0, 1e9)
  return s.object(
    {
      type: s.oneOf('char_location', 'page_location', 'content_block_location', 'search_result_location'),
      cited_text: said,
      document_title: said,
      title: said,
      source: said,
      file_id: s.nullable(s.refused(ON_SERVER)),
      document_index: place,
      search_result_index: place,
      start_char_index: place,
      end_char_index: place,
      start_page_number: place,
      end_page_number: place,
      start_block_index: place,
      end_block_index: place,
    },
    'type',
  )
}

const textBlock = (role: Role, channel: Channel): Shape =>
  s.object(
    {
      type: s.oneOf('text'),
      text: s.text(role, channel),
      cache_control: cacheControl,
      citations: s.nullable(s.list(citation(role))),
    },
    'text',
  )

const image = (role: Role): Shape =>
  s.nonText(
    'content of type image',
    s.object(
      {
        type: s.oneOf('image'),
        source: s.tagged(
          'type',
          {
            base64: s.object({
              type: s.oneOf('base64'),
              data: s.base64,
              media_type: s.oneOf('image/jpeg', 'image/png', 'image/gif', 'image/webp'),
            }),
            url: s.object({ type: s.oneOf('url'), url: webUrl(role) }),
          },
          { why: ON_SERVER },
        ),
        cache_control: cacheControl,
        transformations: s.nullable(s.object({ oversized_image: s.oneOf('downsize', 'error') })),
      },
      'source',
    ),
  )

const citations = s.nullable(s.object({ enabled: s.boolean }))

const pdf = (source: Fields): Shape => s.nonText('a PDF document', s.object(source))

const document = (role: Role): Shape =>
  s.object(
    {
      type: s.oneOf('document'),
      title: s.nullable(s.text(role, 'document')),
      context: s.nullable(s.text(role, 'document')),
      citations,
      cache_control: cacheControl,
      source: s.tagged(
        'type',
        {
          text: s.object(
            { type: s.oneOf('text'), media_type: s.oneOf('text/plain'), data: s.text(role, 'document') },
            'data',
          ),
          content: s.object(
            {
              type: s.oneOf('content'),
              content: s.stringOr(
                s.text(role, 'document'),
                s.list(s.tagged('type', { text: textBlock(role, 'document'), image: image(role) })),
              ),
            },
            'content',
          ),
          base64: pdf({ type: s.oneOf('base64'), media_type: s.oneOf('application/pdf'), data: s.base64 }),
          url: pdf({ type: s.oneOf('url'), url: webUrl(role) }),
        },
        { why: ON_SERVER },
      ),
    },
    'source',
  )

const searchResult = (role: Role): Shape =>
  s.object(
    {
      type: s.oneOf('search_result'),
      source: s.text(role, 'document'),
      title: s.text(role, 'document'),
      content: s.list(s.tagged('type', { text: textBlock(role, 'document') })),
      citations,
      cache_control: cacheControl,
    },
    'content',
  )

const toolResult = s.object(
  {
    type: s.oneOf('tool_result'),
    tool_use_id: s.text('tool', 'parameter', MAX_NAME),
    is_error: s.nullable(s.boolean),
    toolset_name: s.nullable(s.refused(ON_SERVER)),
    cache_control: cacheControl,
    content: s.stringOr(
      s.text('tool', 'tool_result'),
      s.list(
        s.tagged('type', {
          text: textBlock('tool', 'tool_result'),
          image: image('tool'),
          document: document('tool'),
          search_result: searchResult('tool'),
        }),
      ),
    ),
  },
  'tool_use_id',
)

const toolUse = s.object(
  {
    type: s.oneOf('tool_use'),
    id: s.text('assistant', 'parameter', MAX_NAME),
    name: s.text('assistant', 'tool_arguments', MAX_NAME),
    input: s.json('assistant', 'tool_arguments'),
    caller: s.object({ type: s.oneOf('direct') }),
    toolset_name: s.nullable(s.refused(ON_SERVER)),
    cache_control: cacheControl,
  },
  'id',
  'name',
  'input',
)

const userBlocks: Fields = {
  text: textBlock('user', 'message'),
  image: image('user'),
  document: document('user'),
  search_result: searchResult('user'),
  tool_result: toolResult,
}

/** Sealed by the model provider; a server that does not check the seal could be sent text in it, so it is a text too. */
const sealed = s.text('assistant', 'parameter')

const assistantBlocks: Fields = {
  text: textBlock('assistant', 'message'),
  thinking: s.object(
    { type: s.oneOf('thinking'), thinking: s.text('assistant', 'reasoning'), signature: sealed },
    'thinking',
  ),
  redacted_thinking: s.object({ type: s.oneOf('redacted_thinking'), data: sealed }, 'data'),
  tool_use: toolUse,
}

const message = (role: Role, blocks: Fields): Shape =>
  s.object(
    {
      role: s.oneOf('user', 'assistant', 'system'),
      content: s.stringOr(s.text(role, 'message'), s.list(s.tagged('type', blocks, { why: ON_SERVER }))),
    },
    'content',
  )

const systemBlocks: Fields = { text: textBlock('system', 'message') }

const toolName = s.refined(s.text('definition', 'tool_definition', MAX_NAME), (name, reading) => {
  reading.tools.push(name as string)
  return name
})

const toolSettings: Fields = {
  name: toolName,
  cache_control: cacheControl,
  defer_loading: s.nullable(s.boolean),
  strict: s.nullable(s.boolean),
  allowed_callers: s.list(s.oneOf('direct')),
  input_examples: s.list(s.json('definition', 'tool_definition')),
  eager_input_streaming: s.nullable(s.boolean),
}

const customTool = s.object(
  {
    ...toolSettings,
    type: s.nullable(s.oneOf('custom')),
    description: s.nullable(s.text('definition', 'tool_definition')),
    input_schema: s.schema(),
  },
  'name',
  'input_schema',
)

/** Tools that the provider defined and the client runs: their calls and results pass through here. */
const clientTool = (type: string): Fields => ({
  [type]: s.object(
    { ...toolSettings, type: s.oneOf(type), max_characters: s.nullable(s.integer(0, 1e9)) },
    'name',
  ),
})

const tool = s.tagged(
  'type',
  {
    custom: customTool,
    ...clientTool('bash_20250124'),
    ...clientTool('text_editor_20250124'),
    ...clientTool('text_editor_20250429'),
    ...clientTool('text_editor_20250728'),
    ...clientTool('memory_20250818'),
  },
  { absent: 'custom', why: 'tools that run on the model server and MCP servers cannot be inspected' },
)

const parallel: Fields = { disable_parallel_tool_use: s.boolean }

const toolChoice = s.tagged('type', {
  auto: s.object({ type: s.oneOf('auto'), ...parallel }),
  any: s.object({ type: s.oneOf('any'), ...parallel }),
  tool: s.object(
    { type: s.oneOf('tool'), name: s.text('definition', 'tool_definition', MAX_NAME), ...parallel },
    'name',
  ),
  none: s.object({ type: s.oneOf('none') }),
})

const display = s.nullable(s.oneOf('summarized', 'omitted'))

const thinking = s.tagged('type', {
  enabled: s.object(
    { type: s.oneOf('enabled'), budget_tokens: s.integer(1, 10_000_000), display },
    'budget_tokens',
  ),
  adaptive: s.object({ type: s.oneOf('adaptive'), display }),
  between_tools: s.object({ type: s.oneOf('between_tools') }),
  disabled: s.object({ type: s.oneOf('disabled') }),
})

const outputConfig = s.object({
  effort: s.nullable(s.oneOf('low', 'medium', 'high', 'xhigh', 'max')),
  format: s.nullable(
    s.object({ type: s.oneOf('json_schema'), schema: s.schema('definition', 'parameter') }, 'schema'),
  ),
})

const parameter = s.text('definition', 'parameter')
const onServer = s.nullable(s.refused(ON_SERVER))
const operators = s.nullable(s.refused('the operator chooses the account of the model provider'))

const fields: Fields = {
  model: s.model,
  max_tokens: s.integer(0, 10_000_000),
  messages: s.list(
    s.tagged('role', {
      user: message('user', userBlocks),
      assistant: message('assistant', assistantBlocks),
      system: message('system', systemBlocks),
    }),
    { min: 1 },
  ),
  system: s.stringOr(s.text('system', 'message'), s.list(s.tagged('type', systemBlocks))),
  cache_control: cacheControl,
  container: onServer,
  diagnostics: onServer,
  mcp_servers: onServer,
  inference_geo: s.nullable(s.code),
  metadata: s.object({ user_id: s.nullable(parameter) }),
  output_config: outputConfig,
  service_tier: s.oneOf('auto', 'standard_only'),
  speed: s.nullable(s.oneOf('standard', 'fast')),
  stop_sequences: s.list(parameter, { max: 64 }),
  stream: s.boolean,
  temperature: s.number(0, 2),
  thinking,
  tool_choice: toolChoice,
  tools: s.list(tool, { max: 1024 }),
  top_k: s.integer(-1, 1_000_000),
  top_p: s.number(0, 1),
  user_profile_id: operators,
  workspace_id: operators,
}

const params = (body: JsonObject): Params => ({
  max_tokens: body['max_tokens'] as number,
  ...(Array.isArray(body['stop_sequences']) ? { stop: body['stop_sequences'].length } : {}),
})

const table = {
  shape: requestShape(fields, 'model', 'messages', 'max_tokens'),
  upstreamPath: '/v1/messages',
  params,
}

export const messageRequestRows = table.shape.rows('')

export const readMessages = (body: JsonObject, options: DialectOptions): Prompt =>
  readRequest(body, options, table)

export const writeMessages = (prompt: Prompt, changes: Changes): JsonObject => {
  const body = withEdits(prompt.body, changes.edits)
  const asked = body['max_tokens'] as number
  return {
    ...withoutTools(prompt.body, body, new Set(changes.removeTools)),
    model: changes.model,
    max_tokens: Math.min(asked, changes.maxTokens ?? asked),
  }
}

const nameOf = (value: Json | undefined): string =>
  isObject(value) && typeof value['name'] === 'string' ? value['name'] : ''

/** `original` has the names that policy knows; `body` may have edited ones at the same places. */
const withoutTools = (original: JsonObject, body: JsonObject, removed: ReadonlySet<string>): JsonObject => {
  const tools = original['tools']
  if (removed.size === 0 || !Array.isArray(tools)) return body
  const offered = tools as readonly Json[]
  const kept = (body['tools'] as readonly Json[]).filter((_, index) => !removed.has(nameOf(offered[index])))
  const left: Record<string, Json> = { ...body, tools: kept }
  // The model may not call another tool than the one asked for.
  if (removed.has(nameOf(original['tool_choice']))) left['tool_choice'] = { type: 'none' }
  if (kept.length === 0) for (const key of ['tools', 'tool_choice']) Reflect.deleteProperty(left, key)
  return left
}
