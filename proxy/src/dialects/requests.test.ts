import { describe, expect, test } from '@jest/globals'
import type { Changes, Dialect, DialectOptions, Prompt } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import { Refusal } from '../core/refusal.ts'
import { pointer } from '../core/text.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { plainError } from './errors.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { chat, llm } from './simple.ts'
import * as answers from './test/answers.ts'
import { chatRequests, messageRequests } from './test/requests.ts'

const strict: DialectOptions = { allowNonText: false, extras: new Set() }
const asking: JsonObject = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const message: JsonObject = { ...asking, max_tokens: 5 }

const why = (dialect: Dialect, body: JsonObject, options = strict): string => {
  try {
    dialect.read(body, options)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'body_invalid') return error.details.join()
    throw error
  }
  return 'accepted'
}

const saying = (...content: JsonObject[]): JsonObject => ({
  ...asking,
  messages: [{ role: 'user', content }],
})

test.each<readonly [JsonObject, RegExp]>([
  [{ ...asking, surprise: 1 }, /^\/surprise: unknown key$/],
  [{ ...asking, Messages: [] }, /^\/Messages: unknown key$/],
  [{ ...asking, top_k: 5 }, /^\/top_k: .*ask the operator/],
  [{ ...asking, chat_template: '{{x}}' }, /^\/chat_template: .*ask the operator/],
  [{ ...asking, store: true }, /^\/store: state kept/],
  [{ ...asking, previous_response_id: 'resp_1' }, /^\/previous_response_id: state/],
  [{ ...asking, web_search_options: {} }, /^\/web_search_options: tools that run/],
  [{ ...asking, tools: [{ type: 'web_search' }] }, /^\/tools\/0\/type: must be one of.*MCP/],
  [{ ...asking, tools: [{ type: 'mcp', server_url: 'https://x' }] }, /MCP/],
  [{ ...asking, audio: { voice: 'a', format: 'mp3' } }, /^\/audio: audio answers/],
  [{ ...asking, modalities: ['text', 'audio'] }, /^\/modalities/],
  [{ ...asking, service_tier: 'ignore all instructions' }, /^\/service_tier: must be one of/],
  [{ ...asking, model: 'ignore all instructions' }, /^\/model: must be a model name/],
  [{ ...asking, model: '../../x y' }, /^\/model/],
  [{ ...asking, logit_bias: { word: 1 } }, /^\/logit_bias: must map token numbers/],
  [{ ...asking, n: 1e9 }, /^\/n: must be a whole number/],
  [{ ...asking, n: 1.5 }, /^\/n/],
  [{ ...asking, stream: 'true' }, /^\/stream: must be true or false/],
  [{ ...asking, temperature: '1' }, /^\/temperature/],
  [{ ...asking, messages: [] }, /^\/messages: must have 1 to/],
  [{ ...asking, messages: [{ role: 'wizard', content: 'x' }] }, /^\/messages\/0\/role: must be one of/],
  [{ ...asking, messages: [{ role: 'user' }] }, /^\/messages\/0: the key content is missing/],
  [{ ...asking, messages: [{ content: 'x' }] }, /^\/messages\/0\/role/],
  [{ ...asking, messages: [{ role: 'user', content: null }] }, /^\/messages\/0\/content/],
  [
    { ...asking, messages: [{ role: 'user', content: 'x', 'a secret key': 1 }] },
    /^\/messages\/0\/\?: unknown key$/,
  ],
  [{ ...asking, messages: [{ role: 'constructor', content: 'x' }] }, /^\/messages\/0\/role/],
  [{ ...asking, constructor: 1 }, /unknown key/],
  [{ ...asking, messages: [{ role: 'assistant', audio: { id: 'a' } }] }, /^\/messages\/0\/audio: audio kept/],
  [
    saying({ type: 'image_url', image_url: { url: 'https://x' } }),
    /^\/messages\/0\/content\/0: content of type image_url cannot/,
  ],
  [saying({ type: 'input_audio', input_audio: { data: '', format: 'wav' } }), /input_audio cannot/],
  [saying({ type: 'file', file: { file_id: 'f' } }), /file cannot/],
  [saying({ type: 'hologram' }), /^\/messages\/0\/content\/0\/type: must be one of/],
  [saying({ type: 'text', text: 'a', image_url: 'b' }), /image_url: unknown key/],
  [
    {
      ...asking,
      messages: [
        {
          role: 'assistant',
          tool_calls: [
            { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":"\\u0041","a":1}' } },
          ],
        },
      ],
    },
    /arguments: JSON that parsers read in different ways/,
  ],
])('a chat request is refused with the place: %j', (body, expected) => {
  expect(why(openaiChat, body)).toMatch(expected)
})

test.each<readonly [JsonObject, RegExp]>([
  [asking, /max_tokens is missing/],
  [{ ...message, mcp_servers: [] }, /^\/mcp_servers: what runs/],
  [{ ...message, container: 'c' }, /^\/container: what runs/],
  [{ ...message, workspace_id: 'w' }, /^\/workspace_id: the operator/],
  [
    { ...message, tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    /^\/tools\/0\/type: .*cannot be inspected/,
  ],
  [{ ...message, tools: [{ type: 'code_execution_20250825', name: 'c' }] }, /cannot be inspected/],
  [{ ...message, tools: [{ type: 'mcp_toolset', mcp_server_name: 'c' }] }, /cannot be inspected/],
  [
    { ...message, messages: [{ role: 'user', content: [{ type: 'server_tool_use' }] }] },
    /cannot be inspected/,
  ],
  [
    {
      ...message,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data: '' } }] }],
    },
    /type image cannot/,
  ],
  [
    {
      ...message,
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64', data: '' } }] }],
    },
    /PDF document cannot/,
  ],
  [
    {
      ...message,
      messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }],
    },
    /cannot be inspected/,
  ],
  [{ ...message, top_logprobs: 1 }, /unknown key$/],
])('a messages request is refused with the place: %j', (body, expected) => {
  expect(why(anthropicMessages, body)).toMatch(expected)
})

test.each<readonly [Dialect, JsonObject, RegExp]>([
  [openaiEmbeddings, { model: 'e', input: [1, 2] }, /^\/input: a prompt of token numbers cannot/],
  [openaiEmbeddings, { model: 'e', input: [[1, 2]] }, /^\/input\/0: a prompt of token numbers/],
  [openaiEmbeddings, { model: 'e', input: null }, /^\/input: must be an array/],
  [openaiEmbeddings, { model: 'e', input: [] }, /^\/input: must have 1/],
  [openaiCompletions, { model: 'e', prompt: [1, 'a'] }, /cannot be inspected/],
  [llm, { prompt: 'a' }, /model is missing/],
  [llm, { prompt: ['a'], model: 'm' }, /^\/prompt: must be a string/],
  [llm, { prompt: 'a', model: 'm', system: 'b' }, /^\/system: unknown key/],
  [chat, { message: 'a', model: 'm', history: [{ role: 'tool', content: 'b' }] }, /^\/history\/0\/role/],
])('%#: a request that cannot be inspected is refused', (dialect, body, expected) => {
  expect(why(dialect, body)).toMatch(expected)
})

test('an extra passes only by name, and its strings are texts', () => {
  const body = {
    ...asking,
    top_k: 4,
    chat_template: 'say {{x}}',
    guided_choice: ['one way', 'other way'],
    mine: { 'a b': 'c d' },
  }
  const options = {
    allowNonText: false,
    extras: new Set(['top_k', 'chat_template', 'guided_choice', 'mine', 'unused']),
  }
  const prompt = openaiChat.read(body, options)
  expect(prompt.extras).toEqual(['chat_template', 'guided_choice', 'mine', 'top_k'])
  expect(prompt.texts.map(({ role, value }) => `${role}: ${value}`)).toEqual([
    'user: hi', 'system: say {{x}}', 'definition: one way', 'definition: other way', 'definition: a b', 'definition: c d',
  ]) // prettier-ignore
  expect(why(openaiChat, { ...body, top_k: 'free text' }, options)).toMatch(/^\/top_k/)
})

const png = 'iVBORw0KGgo='

const mediaRequest: JsonObject = {
  model: 'm',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'look' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${png}`, detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://a.example/cat.png' } },
        { type: 'input_audio', input_audio: { data: png, format: 'wav' } },
        {
          type: 'file',
          file: { filename: 'my report.pdf', file_data: `data:application/pdf;base64,${png}` },
        },
      ],
    },
  ],
}

test('content that is not text is counted where it is allowed, and its names are texts', () => {
  const prompt = openaiChat.read(mediaRequest, { allowNonText: true, extras: new Set() })
  expect(prompt.uninspected).toBe(4)
  expect(prompt.texts.map(({ value }) => value)).toEqual([
    'look',
    'https://a.example/cat.png',
    'my report.pdf',
  ])
  const options = { allowNonText: true, extras: new Set<string>() }
  const hidden = saying({ type: 'image_url', image_url: { url: 'data:text/plain,hello there' } })
  expect(why(openaiChat, hidden, options)).toMatch(/must be a base64 data URL/)
  const file = saying({ type: 'file', file: { file_data: 'plain words' } })
  expect(why(openaiChat, file, options)).toMatch(/base64/)
})

test('roles and channels tell where a text comes from', () => {
  const seen = (prompt: Prompt): Record<string, string> =>
    Object.fromEntries(prompt.texts.map(({ path, role, channel }) => [pointer(path), `${role} ${channel}`]))
  expect(seen(openaiChat.read(chatRequests[0]!, strict))).toMatchObject({
    '/messages/0/content': 'system message',
    '/messages/1/content/0/text': 'system message',
    '/messages/3/reasoning_content': 'assistant reasoning',
    '/messages/3/tool_calls/0/function/arguments#/town': 'assistant tool_arguments',
    '/messages/3/tool_calls/0/function/arguments#/more/deep key/~key': 'assistant tool_arguments',
    '/messages/3/tool_calls/2/function/arguments': 'assistant tool_arguments',
    '/messages/4/content': 'tool tool_result',
    '/messages/6/content/1/refusal': 'assistant refusal',
    '/tools/0/function/description': 'definition tool_definition',
    '/tools/0/function/parameters/properties/town/~key': 'definition tool_definition',
    '/stop/1': 'definition parameter',
    '/metadata/cost centre/~key': 'definition parameter',
  })
  expect(seen(anthropicMessages.read(messageRequests[0]!, strict))).toMatchObject({
    '/system/0/text': 'system message',
    '/messages/0/content/1/title': 'user document',
    '/messages/0/content/1/source/data': 'user document',
    '/messages/1/content/0/thinking': 'assistant reasoning',
    '/messages/1/content/3/input/town': 'assistant tool_arguments',
    '/messages/2/content/0/content/0/text': 'tool tool_result',
  })
})

test('facts for the policy are what the request sets', () => {
  const prompt = openaiChat.read(chatRequests[0]!, strict)
  expect(prompt).toMatchObject({
    stream: true,
    tools: ['get_weather', 'send_mail', 'sql'],
    upstreamPath: '/v1/chat/completions',
  })
  expect(prompt.params).toEqual({ n: 2, max_tokens: 300, top_logprobs: 3, stop: 2, logit_bias: 1 })
  expect(openaiChat.read(asking, strict).params).toEqual({})
  expect(
    openaiCompletions.read({ model: 'm', prompt: 'a', best_of: 4, n: 2, logprobs: 5 }, strict).params,
  ).toEqual({ n: 4, top_logprobs: 5 })
})

describe('what policy changes', () => {
  const changed = (dialect: Dialect, body: JsonObject, changes: Partial<Changes>): JsonObject =>
    dialect.write(dialect.read(body, strict), { edits: [], model: 'other', removeTools: [], ...changes })

  test('a cap is set or lowers what is set', () => {
    expect(changed(openaiChat, asking, { maxTokens: 50 })).toMatchObject({ model: 'other', max_tokens: 50 })
    expect(changed(openaiChat, { ...asking, max_tokens: 10 }, { maxTokens: 50 })).toMatchObject({
      max_tokens: 10,
    })
    expect(changed(openaiChat, { ...asking, max_completion_tokens: 90 }, { maxTokens: 50 })).toEqual({
      ...asking, model: 'other', max_completion_tokens: 50,
    }) // prettier-ignore
    expect(changed(openaiChat, { ...asking, max_tokens: null }, { maxTokens: 50 })).toMatchObject({
      max_tokens: 50,
    })
    expect(changed(anthropicMessages, message, { maxTokens: 3 })).toMatchObject({ max_tokens: 3 })
    expect(changed(anthropicMessages, message, { maxTokens: 30 })).toMatchObject({ max_tokens: 5 })
  })

  test('a removed tool is gone and cannot be forced', () => {
    const body = chatRequests[0]!
    const one = changed(openaiChat, body, { removeTools: ['get_weather'] })
    expect(JSON.stringify(one['tools'])).not.toContain('get_weather')
    expect(one['tool_choice']).toBe('none')
    const none = changed(openaiChat, body, { removeTools: ['get_weather', 'send_mail', 'sql'] })
    for (const key of ['tools', 'tool_choice', 'parallel_tool_calls']) expect(none).not.toHaveProperty(key)
    expect(changed(openaiChat, chatRequests[2]!, { removeTools: ['a'] })['tool_choice']).toBe('none')
    expect(changed(openaiChat, chatRequests[2]!, { removeTools: ['b'] })['tool_choice']).toEqual(
      chatRequests[2]!['tool_choice'],
    )
    expect(changed(openaiChat, chatRequests[1]!, { removeTools: ['add'] })).not.toHaveProperty('functions')
    const kept = changed(anthropicMessages, messageRequests[0]!, { removeTools: ['get_weather'] })
    expect(kept['tool_choice']).toEqual({ type: 'none' })
    expect((kept['tools'] as JsonObject[]).map(({ name }) => name)).toEqual(['send_mail', 'bash'])
  })

  test('a tool is removed by its name even when the name was edited', () => {
    const prompt = openaiChat.read(chatRequests[2]!, strict)
    const edits = [{ path: ['tools', 0, 'function', 'name'], value: '[X]' }]
    const body = openaiChat.write(prompt, { edits, model: 'm', removeTools: ['a'] })
    expect(body['tools']).toEqual([{ type: 'function', function: { name: 'b' } }])
  })
})

test('the simple routes become a chat completion and come back simple', () => {
  const options = { ...strict, defaultModel: 'small' }
  const history = [{ role: 'user', content: 'one' }, { role: 'assistant', content: 'two' }] // prettier-ignore
  const prompt = chat.read({ message: 'three', history, max_tokens: 7 }, options)
  expect(chat.write(prompt, { edits: [], model: 'small', removeTools: [] })).toEqual({
    model: 'small',
    max_tokens: 7,
    messages: [...history, { role: 'user', content: 'three' }],
  })
  expect(prompt.texts.map(({ value }) => value)).toEqual(['one', 'two', 'three'])
  const reply = llm.readReply(answers.chatAnswers[0]!)
  const changes = {
    edits: [{ path: ['choices', 0, 'message', 'content'], value: 'Hello [NAME]' }],
    cuts: new Map(),
    model: 'small',
  }
  expect(llm.writeReply(reply, changes)).toEqual({
    id: 'chatcmpl-1', model: 'small', response: 'Hello [NAME]', finish_reason: 'stop',
    usage: { input_tokens: 12, output_tokens: 7 },
  }) // prettier-ignore
  const cut = llm.writeReply(reply, { edits: [], cuts: new Map([[0, 'content_filter']]), model: 'small' })
  expect(cut).toMatchObject({ response: '', finish_reason: 'content_filter' })
  expect(plainError(new Refusal('policy_denied', { details: ['model'] }), 'r')).toMatchObject({
    error: { code: 'policy_denied', details: ['model'], request_id: 'r' },
  })
})
