import type { JsonObject } from '../../core/json.ts'
import { logprob, usage } from './parts.ts'

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
