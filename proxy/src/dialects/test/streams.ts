import type { ServerEvent } from '../../core/dialect.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { logprob, usage } from './parts.ts'

const data = (value: Json): ServerEvent => ({ event: '', data: JSON.stringify(value) })
const done: ServerEvent = { event: '', data: '[DONE]' }

const chunk = (choices: Json, more: JsonObject = {}): ServerEvent =>
  data({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1700000000,
    model: 'gpt-4o',
    system_fingerprint: 'fp_1',
    choices,
    ...more,
  })

const delta = (index: number, delta: JsonObject, more: JsonObject = {}): ServerEvent =>
  chunk([{ index, delta, logprobs: null, finish_reason: null, ...more }])

const call = (index: number, more: JsonObject): JsonObject => ({ tool_calls: [{ index, ...more }] })

/** Two choices, token probabilities, reasoning, tools of each form, usage. */
export const chatStream: readonly ServerEvent[] = [
  delta(0, { role: 'assistant', content: '' }),
  delta(0, { content: 'Hel' }, { logprobs: { content: [logprob('Hel', 'Hel', 'Hi')], refusal: null } }),
  delta(1, { role: 'assistant', reasoning_content: 'let me ' }),
  delta(0, { content: 'lo wörld 😀' }, { logprobs: { content: [logprob('lo wörld 😀')] } }),
  delta(1, { reasoning_content: 'think' }),
  delta(1, call(0, { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '' } })),
  delta(1, call(0, { function: { arguments: '{"town":' } })),
  delta(1, call(0, { function: { arguments: '"Bern"}' } })),
  delta(1, call(1, { id: 'call_2', type: 'custom', custom: { name: 'sql', input: '' } })),
  delta(1, call(1, { custom: { input: 'select 1' } })),
  delta(0, {}, { finish_reason: 'stop' }),
  delta(1, {}, { finish_reason: 'tool_calls' }),
  chunk([], { usage }),
  done,
]

/** A server that sends all of a tool call at once, an old function call, a refusal. */
export const otherChatStream: readonly ServerEvent[] = [
  delta(0, {
    role: 'assistant',
    content: null,
    ...call(0, { id: 'call_9', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }),
  }),
  delta(0, { refusal: 'I will not' }),
  delta(1, { role: 'assistant', function_call: { name: 'add', arguments: '' } }),
  delta(1, { function_call: { arguments: '{"b":2}' } }),
  delta(0, {}, { finish_reason: 'tool_calls' }),
  delta(1, {}, { finish_reason: 'function_call' }),
  done,
]

const completion = (index: number, text: string, more: JsonObject = {}): ServerEvent =>
  data({
    id: 'cmpl-1',
    object: 'text_completion',
    created: 5,
    model: 'davinci',
    choices: [{ index, text, logprobs: null, finish_reason: null, ...more }],
  })

export const completionStream: readonly ServerEvent[] = [
  completion(0, 'Once'),
  completion(0, ' upon', {
    logprobs: {
      tokens: [' upon'],
      token_logprobs: [-1],
      top_logprobs: [{ ' upon': -1, ' in': -2 }],
      text_offset: [4],
    },
  }),
  completion(1, 'Other'),
  completion(0, '', { finish_reason: 'stop' }),
  completion(1, '', { finish_reason: 'length' }),
  data({ id: 'cmpl-1', object: 'text_completion', created: 5, model: 'davinci', choices: [], usage }),
  done,
]

const event = (type: string, members: JsonObject = {}): ServerEvent => ({
  event: type,
  data: JSON.stringify({ type, ...members }),
})

const piece = (index: number, delta: JsonObject): ServerEvent =>
  event('content_block_delta', { index, delta })

export const messageStream: readonly ServerEvent[] = [
  event('message_start', {
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 25, cache_read_input_tokens: 5, output_tokens: 1 },
    },
  }),
  event('content_block_start', {
    index: 0,
    content_block: { type: 'thinking', thinking: '', signature: '' },
  }),
  event('ping'),
  piece(0, { type: 'thinking_delta', thinking: 'let me ' }),
  piece(0, { type: 'thinking_delta', thinking: 'think' }),
  piece(0, { type: 'signature_delta', signature: 'c2lnbmVk' }),
  event('content_block_stop', { index: 0 }),
  event('content_block_start', { index: 1, content_block: { type: 'redacted_thinking', data: 'c2VhbGVk' } }),
  event('content_block_stop', { index: 1 }),
  event('content_block_start', { index: 2, content_block: { type: 'text', text: '' } }),
  piece(2, { type: 'text_delta', text: 'Hello ' }),
  piece(2, { type: 'text_delta', text: 'wörld 😀' }),
  event('content_block_stop', { index: 2 }),
  event('content_block_start', {
    index: 3,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} },
  }),
  piece(3, { type: 'input_json_delta', partial_json: '' }),
  piece(3, { type: 'input_json_delta', partial_json: '{"town":' }),
  piece(3, { type: 'input_json_delta', partial_json: '"Bern"}' }),
  event('content_block_stop', { index: 3 }),
  event('message_delta', {
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 15 },
  }),
  event('message_stop'),
]
