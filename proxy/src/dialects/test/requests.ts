import type { JsonObject } from '../../core/json.ts'

const chatTools: JsonObject = {
  model: 'gpt-4o-mini',
  stream: true,
  stream_options: { include_usage: true },
  temperature: 0.2,
  top_p: 1,
  n: 2,
  max_completion_tokens: 300,
  stop: ['END', '###'],
  logit_bias: { '50256': -100 },
  logprobs: true,
  top_logprobs: 3,
  seed: 7,
  user: 'user-1234',
  metadata: { team: 'search', 'cost centre': 'R&D 7' },
  service_tier: 'auto',
  reasoning_effort: 'low',
  verbosity: 'low',
  store: false,
  parallel_tool_calls: true,
  modalities: ['text'],
  prediction: { type: 'content', content: [{ type: 'text', text: 'It rains in Bern.' }] },
  safety_identifier: 'caller 5',
  prompt_cache_key: 'weather talk',
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'weather',
      description: 'what the sky does',
      strict: true,
      schema: { type: 'object', properties: { sky: { type: 'string', enum: ['blue sky', 'grey sky'] } } },
    },
  },
  tools: [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        description: 'Weather of a town',
        strict: true,
        parameters: {
          type: 'object',
          properties: {
            town: { type: 'string', description: 'Name of the town' },
            days: { type: 'integer' },
          },
          required: ['town'],
          additionalProperties: false,
        },
      },
    },
    { type: 'function', function: { name: 'send_mail', parameters: {} } },
    {
      type: 'custom',
      custom: {
        name: 'sql',
        description: 'Runs a query',
        format: { type: 'grammar', grammar: { definition: 'start: "select"', syntax: 'lark' } },
      },
    },
  ],
  tool_choice: { type: 'function', function: { name: 'get_weather' } },
  messages: [
    { role: 'system', content: 'You are helpful.', name: 'house' },
    { role: 'developer', content: [{ type: 'text', text: 'Answer in German.' }] },
    { role: 'user', name: 'ann', content: [{ type: 'text', text: 'Weather in Bern?' }] },
    {
      role: 'assistant',
      content: null,
      refusal: null,
      annotations: [],
      reasoning_content: 'I should ask the tool.',
      tool_calls: [
        {
          id: 'call_1',
          type: 'function',
          function: { name: 'get_weather', arguments: '{"town":"Bern","more":{"deep key":["x y"]}}' },
        },
        { id: 'call_2', type: 'custom', custom: { name: 'sql', input: 'select 1 from dual' } },
        { id: 'call_3', type: 'function', function: { name: 'get_weather', arguments: 'not json at all' } },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', content: '{"sky":"grey"}' },
    { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'one row' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'Grey.' },
        { type: 'refusal', refusal: 'I cannot say more.' },
      ],
      annotations: [
        {
          type: 'url_citation',
          url_citation: { start_index: 0, end_index: 4, title: 'A page', url: 'https://a.example/' },
        },
      ],
    },
    { role: 'user', content: 'Thanks!' },
  ],
}

const chatLegacy: JsonObject = {
  model: 'meta-llama/Llama-3.1-8B-Instruct',
  messages: [
    { role: 'user', content: 'hi there' },
    { role: 'assistant', content: null, function_call: { name: 'add', arguments: '{"a":1}' } },
    { role: 'function', name: 'add', content: 'two of them' },
  ],
  functions: [{ name: 'add', description: 'adds numbers', parameters: { type: 'object' } }],
  function_call: { name: 'add' },
  max_tokens: 10,
  stop: 'STOP HERE',
  response_format: { type: 'json_object' },
}

const allowedTools: JsonObject = {
  model: 'm',
  messages: [{ role: 'user', content: 'hi you' }],
  tools: [
    { type: 'function', function: { name: 'a' } },
    { type: 'function', function: { name: 'b' } },
  ],
  tool_choice: {
    type: 'allowed_tools',
    allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'a' } }] },
  },
}

export const chatRequests: readonly JsonObject[] = [chatTools, chatLegacy, allowedTools]

export const completionRequests: readonly JsonObject[] = [
  {
    model: 'davinci-002',
    prompt: 'Once upon a time',
    max_tokens: 5,
    suffix: 'the end',
    logprobs: 2,
    echo: true,
  },
  {
    model: 'davinci-002',
    prompt: ['one two', 'three four'],
    stream: true,
    best_of: 2,
    stop: ['a b'],
    user: 'u 1',
  },
]

export const embeddingRequests: readonly JsonObject[] = [
  {
    model: 'text-embedding-3-small',
    input: 'one text',
    encoding_format: 'base64',
    dimensions: 64,
    user: 'u 1',
  },
  { model: 'text-embedding-3-small', input: ['one text', 'another text'] },
]

export const messageRequests: readonly JsonObject[] = [
  {
    model: 'claude-sonnet-4-5',
    max_tokens: 1024,
    stream: true,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    metadata: { user_id: 'user 17' },
    stop_sequences: ['Human: '],
    temperature: 1,
    top_k: 5,
    thinking: { type: 'enabled', budget_tokens: 1024 },
    service_tier: 'auto',
    output_config: {
      effort: 'low',
      format: { type: 'json_schema', schema: { type: 'object', title: 'My Title' } },
    },
    tool_choice: { type: 'tool', name: 'get_weather', disable_parallel_tool_use: true },
    tools: [
      {
        name: 'get_weather',
        description: 'Weather of a town',
        input_schema: { type: 'object', properties: { town: { type: 'string', description: 'Name of it' } } },
        input_examples: [{ town: 'Bern or Thun' }],
      },
      { type: 'custom', name: 'send_mail', input_schema: { type: 'object' } },
      { type: 'bash_20250124', name: 'bash' },
    ],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Compare these.' },
          {
            type: 'document',
            title: 'First paper',
            context: 'from the archive',
            citations: { enabled: true },
            source: { type: 'text', media_type: 'text/plain', data: 'The sky is grey.' },
          },
          { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'part one' }] } },
          {
            type: 'search_result',
            source: 'https://a.example/',
            title: 'A hit',
            content: [{ type: 'text', text: 'found text' }],
          },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Let me look.', signature: 'c2lnbmF0dXJl' },
          { type: 'redacted_thinking', data: 'c2VhbGVk' },
          {
            type: 'text',
            text: 'I look.',
            citations: [
              {
                type: 'char_location',
                cited_text: 'The sky',
                document_index: 0,
                document_title: 'First paper',
                start_char_index: 0,
                end_char_index: 7,
              },
            ],
          },
          {
            type: 'tool_use',
            id: 'toolu_1',
            name: 'get_weather',
            input: { town: 'Bern city', 'deep key': ['x y'] },
          },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            content: [{ type: 'text', text: 'grey sky' }],
            is_error: false,
          },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'it failed' },
        ],
      },
      { role: 'system', content: 'Answer now.' },
    ],
  },
  { model: 'claude', max_tokens: 5, system: 'Be kind.', messages: [{ role: 'user', content: 'Hello you' }] },
]
