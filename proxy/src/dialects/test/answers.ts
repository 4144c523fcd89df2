import type { ServerEvent } from '../../core/dialect.ts'
import type { Json, JsonObject } from '../../core/json.ts'

const logprob = (token: string, ...top: string[]): JsonObject => ({
  token,
  logprob: -0.5,
  bytes: [...Buffer.from(token)],
  top_logprobs: top.map((alternative) => ({
    token: alternative,
    logprob: -1,
    bytes: [...Buffer.from(alternative)],
  })),
})

const usage = {
  prompt_tokens: 12,
  completion_tokens: 7,
  total_tokens: 19,
  prompt_tokens_details: { cached_tokens: 4 },
}

export const chatAnswers: readonly JsonObject[] = [
  {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1700000000,
    model: 'gpt-4o-mini-2024',
    system_fingerprint: 'fp_1',
    service_tier: 'default',
    usage,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Hello wörld',
          refusal: null,
          annotations: [
            {
              type: 'url_citation',
              url_citation: { start_index: 0, end_index: 5, title: 'A page', url: 'https://a.example/x' },
            },
          ],
        },
        logprobs: {
          content: [logprob('Hello', 'Hello', 'Hi'), logprob(' wörld', ' wörld', ' you')],
          refusal: null,
        },
        finish_reason: 'stop',
      },
      {
        index: 1,
        message: {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'get_weather', arguments: '{"town":"Bern city"}' },
            },
            { id: 'call_2', type: 'custom', custom: { name: 'sql', input: 'select this' } },
          ],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
  },
  {
    // vLLM
    id: 'chatcmpl-2',
    object: 'chat.completion',
    created: 1,
    model: 'llama',
    prompt_logprobs: null,
    kv_transfer_params: null,
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, prompt_tokens_details: null },
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'yes it is',
          reasoning_content: 'because it is',
          tool_calls: [],
        },
        logprobs: null,
        finish_reason: 'stop',
        stop_reason: 'END OF IT',
      },
    ],
  },
  {
    // TGI, llama.cpp, Ollama
    id: '',
    object: 'chat.completion',
    created: 2,
    model: 'llama3:8b',
    system_fingerprint: 'b3001-abcdef',
    timings: { prompt_n: 3 },
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: '', function_call: { name: 'add', arguments: '{}' } },
        finish_reason: 'function_call',
      },
    ],
  },
]

export const completionAnswers: readonly JsonObject[] = [
  {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 3,
    model: 'davinci',
    usage,
    choices: [
      {
        index: 0,
        text: ' a frog jumped',
        finish_reason: 'length',
        logprobs: {
          tokens: [' a', ' frog', ' jumped'],
          token_logprobs: [null, -1, -2],
          top_logprobs: [null, { ' frog': -1, ' king': -2 }, { ' jumped': -2 }],
          text_offset: [0, 2, 7],
        },
      },
      { index: 1, text: 'other text', finish_reason: 'stop', logprobs: null },
    ],
  },
]

export const embeddingAnswers: readonly JsonObject[] = [
  {
    object: 'list',
    model: 'e',
    data: [{ object: 'embedding', index: 0, embedding: [0.1, -0.2] }],
    usage: { prompt_tokens: 2, total_tokens: 2 },
  },
  { object: 'list', model: 'e', data: [{ object: 'embedding', index: 0, embedding: 'AACAPwAAAEA=' }] },
]

export const messageAnswers: readonly JsonObject[] = [
  {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    container: null,
    content: [
      { type: 'thinking', thinking: 'Let me think.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'c2VhbGVk' },
      {
        type: 'text',
        text: 'The sky is grey.',
        citations: [
          {
            type: 'char_location',
            cited_text: 'sky is grey',
            document_index: 0,
            document_title: 'My paper',
            file_id: null,
            start_char_index: 0,
            end_char_index: 3,
          },
        ],
      },
      {
        type: 'tool_use',
        id: 'toolu_1',
        name: 'get_weather',
        input: { town: 'Bern city', 'deep key': ['x y'] },
        caller: { type: 'direct' },
      },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 10,
      output_tokens: 5,
      cache_read_input_tokens: 3,
      cache_creation: { ephemeral_5m_input_tokens: 0 },
      server_tool_use: null,
      service_tier: 'standard',
    },
  },
  {
    id: 'msg_2',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [{ type: 'text', text: 'stopped at it', citations: null }],
    stop_reason: 'stop_sequence',
    stop_sequence: 'Human: ',
    usage: { input_tokens: 1, output_tokens: 1 },
  },
]

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
