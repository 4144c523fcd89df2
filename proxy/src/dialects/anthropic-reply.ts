import type { ReplyChanges, ReplyText, Usage, WholeReply } from '../core/dialect.ts'
import { withEdits } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { tokenCount } from './openai-usage.ts'
import type { Reading } from './reading.ts'
import { newReading } from './reading.ts'
import { shape as s } from './shapes.ts'

const said = s.nullable(s.text('assistant', 'document'))
const place = s.integer(0, 1e9)

const citation = s.answer(
  {
    type: s.code,
    cited_text: said,
    document_title: said,
    title: said,
    source: said,
    url: said,
    file_id: s.nullable(s.id),
    encrypted_index: s.base64,
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

const anyToolUse = s.answer(
  {
    type: s.oneOf('tool_use'),
    id: s.id,
    name: s.id,
    input: s.json('assistant', 'tool_arguments'),
    caller: s.nullable(s.answer({ type: s.oneOf('direct') })),
    toolset_name: s.nullable(s.refused('a tool that runs on the model server cannot be inspected')),
  },
  'id',
  'name',
)

const toolUse = s.refined(anyToolUse, (kept, reading) => {
  const block = kept as JsonObject
  const input = block['input'] ?? {}
  reading.toolCalls.push({
    choice: 0,
    id: block['id'] as string,
    name: block['name'] as string,
    arguments: isObject(input) ? Object.keys(input).sort() : [],
  })
  return { ...block, input }
})

const block = s.tagged(
  'type',
  {
    text: s.answer(
      {
        type: s.oneOf('text'),
        text: s.text('assistant', 'message'),
        citations: s.nullable(s.list(citation)),
      },
      'text',
    ),
    thinking: s.answer(
      { type: s.oneOf('thinking'), thinking: s.text('assistant', 'reasoning'), signature: s.base64 },
      'thinking',
    ),
    redacted_thinking: s.answer({ type: s.oneOf('redacted_thinking'), data: s.base64 }, 'data'),
    tool_use: toolUse,
  },
  { why: 'what ran on the model server cannot be inspected' },
)

const CODES = ['service_tier', 'inference_geo', 'speed'] as const

/** Token counts and the few codes beside them. */
const usage = s.custom(
  (place) => [...s.counts.rows(place), ...CODES.flatMap((key) => s.code.rows(`${place}/${key}`))],
  (value, reading) => ({
    ...(s.counts(value) as JsonObject),
    ...(isObject(value) ? codes(value, reading) : {}),
  }),
)

const codes = (usage: JsonObject, reading: Reading): JsonObject =>
  Object.fromEntries(
    CODES.flatMap((key): [string, Json][] => {
      const code = usage[key]
      return typeof code === 'string' ? [[key, s.code(code, reading) as Json]] : []
    }),
  )

const body = s.answer(
  {
    id: s.id,
    type: s.oneOf('message'),
    role: s.oneOf('assistant'),
    model: s.dropped,
    content: s.list(block, { max: 1024 }),
    stop_reason: s.nullable(s.code),
    stop_sequence: s.nullable(s.text('assistant', 'parameter')),
    stop_details: s.nullable(
      s.answer({
        type: s.code,
        category: s.nullable(s.code),
        explanation: s.nullable(s.text('assistant', 'refusal')),
      }),
    ),
    container: s.dropped,
    diagnostics: s.dropped,
    context_management: s.dropped,
    usage: s.nullable(usage),
  },
  'content',
)

/** All tokens read: fresh, written to and read from the cache. Undefined when a count is no number of tokens. */
export const anthropicUsage = (usage: JsonObject): Usage | undefined => {
  const count = (key: string): number => tokenCount(usage[key] ?? 0) ?? NaN
  const input =
    count('input_tokens') + count('cache_creation_input_tokens') + count('cache_read_input_tokens')
  const output = count('output_tokens')
  return Number.isSafeInteger(input) && Number.isSafeInteger(output) ? { input, output } : undefined
}

export const messageReplyRows = body.rows('')

export const readMessage = (received: JsonObject): WholeReply => {
  const texts: ReplyText[] = []
  const options = { allowNonText: false, extras: new Set<string>() }
  const reading = newReading(
    'model_answer_invalid',
    options,
    (text) => void texts.push({ ...text, choice: 0 }),
  )
  const read = body(received, reading) as JsonObject
  const { id, stop_reason: reason, usage } = read
  return {
    body: { type: 'message', role: 'assistant', stop_reason: null, stop_sequence: null, ...read },
    id: typeof id === 'string' ? id : '',
    model: typeof received['model'] === 'string' ? received['model'] : '',
    choices: [0],
    texts,
    toolCalls: reading.toolCalls,
    logprobs: [],
    finishReasons: typeof reason === 'string' ? [reason] : [],
    usage: isObject(usage) ? anthropicUsage(usage) : undefined,
  }
}

/** A changed thought has lost the provider's signature, which is over the old text. */
const unsigned = (block: Json): Json =>
  isObject(block) && 'signature' in block ? { ...block, signature: '' } : block

export const writeMessage = (reply: WholeReply, changes: ReplyChanges): JsonObject => {
  const cut = changes.cuts.get(0)
  if (cut !== undefined) {
    const reason = cut === 'length' ? 'max_tokens' : 'refusal'
    const ending = { stop_reason: reason, stop_sequence: null, stop_details: null }
    return { ...reply.body, model: changes.model, content: [], ...ending }
  }
  const edited = new Set(changes.edits.filter(({ path }) => path[0] === 'content').map(({ path }) => path[1]))
  const body = withEdits(reply.body, changes.edits)
  const content = (body['content'] as readonly Json[]).map((block, index) =>
    edited.has(index) ? unsigned(block) : block,
  )
  return { ...body, model: changes.model, content }
}
