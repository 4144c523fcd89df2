import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from '@jest/globals'
import OpenAI from 'openai'
import type { Delta, Dialect, ReplyChanges, ServerEvent } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { Refusal } from '../core/refusal.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { anthropicError, openaiError } from './errors.ts'
import { writeModelList } from './model-list.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import * as answers from './test/answers.ts'
import * as streams from './test/streams.ts'

const strict = { allowNonText: false, extras: new Set<string>() }
const nothing: ReplyChanges = { edits: [], cuts: new Map(), model: 'm' }

/** Reads each request of a real client as the guard does, and answers from a function. */
const serving =
  (dialect: Dialect, answer: (body: JsonObject) => Json | string, status = 200) =>
  (_url: unknown, init?: { body?: unknown }): Promise<Response> => {
    const body = JSON.parse((init?.body as string | undefined) ?? '{}') as JsonObject
    if (Object.keys(body).length > 0) dialect.read(body, strict)
    const text = answer(body)
    const type = typeof text === 'string' ? 'text/event-stream' : 'application/json'
    return Promise.resolve(
      new Response(typeof text === 'string' ? text : JSON.stringify(text), {
        status,
        headers: { 'content-type': type, 'x-should-retry': 'false' },
      }),
    )
  }

const openai = (...args: Parameters<typeof serving>): OpenAI =>
  new OpenAI({
    apiKey: 'k',
    baseURL: 'http://guard.test/v1',
    fetch: serving(...args),
    maxRetries: 0,
  })

const anthropic = (answer: (body: JsonObject) => Json | string, status = 200): Anthropic =>
  new Anthropic({
    apiKey: 'k',
    baseURL: 'http://guard.test',
    fetch: serving(anthropicMessages, answer, status),
    maxRetries: 0,
  })

type Change = (delta: Delta) => readonly Delta[]

const streamed =
  (dialect: Dialect, stream: readonly ServerEvent[], change: Change = (delta) => [delta]) =>
  (body: JsonObject): string => {
    const codec = dialect.openStream!(dialect.read(body, strict), 'm')
    return stream
      .flatMap((event) => codec.decode(event))
      .flatMap(change)
      .map((delta) => codec.encode(delta))
      .join('')
  }

const cutAt =
  (choice: number, text: string): Change =>
  (delta) =>
    delta.kind === 'text' && delta.lane.choice === choice && delta.text.includes(text)
      ? [{ kind: 'cut', choice, reason: 'content_filter' }]
      : [delta]

const failing =
  (dialect: Dialect) =>
  (body: JsonObject): string => {
    const codec = dialect.openStream!(dialect.read(body, strict), 'm')
    const begun = streams.chatStream.slice(0, 2)
    const first = dialect === openaiChat ? begun : streams.messageStream.slice(0, 6)
    const text = first
      .flatMap((event) => codec.decode(event))
      .map((delta) => codec.encode(delta))
      .join('')
    return text + codec.fail(new Refusal('model_unavailable', { details: ['reset'] }), 'req-1')
  }

const asking = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] }
const tool = { type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } }

describe('the openai client', () => {
  const whole =
    (index: number, changes: Partial<ReplyChanges> = {}) =>
    (): Json =>
      openaiChat.writeReply(openaiChat.readReply(answers.chatAnswers[index]!), { ...nothing, ...changes })

  test('reads whole answers: choices, tools, probabilities, usage', async () => {
    const answer = await openai(openaiChat, whole(0)).chat.completions.create({
      ...asking, n: 2, tools: [tool], logprobs: true, top_logprobs: 2,
    }) // prettier-ignore
    expect(answer.choices[0]!.message.content).toBe('Hello wörld')
    expect(answer.choices[0]!.logprobs!.content!.map(({ token }) => token)).toEqual(['Hello', ' wörld'])
    expect(answer.choices[1]!.message.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'get_weather', arguments: '{"town":"Bern city"}' } },
      { type: 'custom', custom: { input: 'select this' } },
    ])
    expect(answer).toMatchObject({ model: 'm', usage: { total_tokens: 19 } })
  })

  test('sees a cut choice as filtered and the other one whole', async () => {
    const cuts = new Map([[1, 'content_filter' as const]])
    const answer = await openai(openaiChat, whole(0, { cuts })).chat.completions.create(asking)
    expect(answer.choices[1]).toEqual({
      index: 1, logprobs: null, finish_reason: 'content_filter',
      message: { role: 'assistant', content: '', refusal: null },
    }) // prettier-ignore
    expect(answer.choices[0]!.finish_reason).toBe('stop')
  })

  test('reads a stream with two choices, tools and probabilities', async () => {
    const client = openai(openaiChat, streamed(openaiChat, streams.chatStream))
    const runner = client.chat.completions.stream({
      ...asking, n: 2, tools: [tool], logprobs: true, stream_options: { include_usage: true },
    }) // prettier-ignore
    const answer = await runner.finalChatCompletion()
    expect(answer.choices[0]!.message.content).toBe('Hello wörld 😀')
    expect(answer.choices[0]!.logprobs!.content!.length).toBe(2)
    expect(answer.choices[1]!.message.tool_calls?.[0]).toMatchObject({
      function: { name: 'get_weather', arguments: '{"town":"Bern"}' },
    })
    expect(answer.choices[1]!.finish_reason).toBe('tool_calls')
    expect(answer.usage).toMatchObject({ prompt_tokens: 12, prompt_tokens_details: { cached_tokens: 4 } })
  })

  test('reads a tool call that the guard hands over in one piece', async () => {
    const held: Change = (delta) => {
      if (delta.kind === 'arguments' && delta.text === '{"town":') return []
      return [delta.kind === 'arguments' ? { ...delta, text: '{"town":"Thun"}' } : delta]
    }
    const client = openai(openaiChat, streamed(openaiChat, streams.chatStream, held))
    const answer = await client.chat.completions.stream({ ...asking, tools: [tool] }).finalChatCompletion()
    expect(answer.choices[1]!.message.tool_calls?.[0]).toMatchObject({
      function: { arguments: '{"town":"Thun"}' },
    })
  })

  test('sees a cut in a stream as filtered, without the text', async () => {
    const client = openai(openaiChat, streamed(openaiChat, streams.chatStream, cutAt(0, 'wörld')))
    const stream = await client.chat.completions.create({ ...asking, stream: true })
    let text = ''
    const reasons: (string | null)[] = []
    for await (const { choices } of stream) {
      for (const choice of choices) {
        if (choice.index === 0) text += choice.delta.content ?? ''
        if (choice.finish_reason) reasons[choice.index] = choice.finish_reason
      }
    }
    expect([text, reasons]).toEqual(['Hel', ['content_filter', 'tool_calls']])
  })

  test('throws on a stream that failed', async () => {
    const stream = await openai(openaiChat, failing(openaiChat)).chat.completions.create({
      ...asking,
      stream: true,
    })
    const read = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk.object).toBe('chat.completion.chunk')
    }
    await expect(read()).rejects.toMatchObject({ code: 'model_unavailable', type: 'api_error' })
  })

  test('can send back what its helpers parsed', async () => {
    const client = openai(openaiChat, whole(0))
    const strictTool = { ...tool, function: { ...tool.function, strict: true } }
    const parsed = await client.chat.completions.parse({ ...asking, tools: [strictTool] })
    const messages = [...asking.messages, ...parsed.choices.map(({ message }) => message)]
    const again = await client.chat.completions.create({ ...asking, messages })
    expect(again.choices.length).toBe(2)
  })

  test('reads completions, whole and streamed', async () => {
    const reply = openaiCompletions.readReply(answers.completionAnswers[0]!)
    const client = openai(openaiCompletions, () => openaiCompletions.writeReply(reply, nothing))
    const answer = await client.completions.create({ model: 'm', prompt: 'a', logprobs: 2 })
    expect(answer.choices[0]).toMatchObject({
      text: ' a frog jumped',
      logprobs: { tokens: [' a', ' frog', ' jumped'] },
    })
    const streaming = openai(openaiCompletions, streamed(openaiCompletions, streams.completionStream))
    let text = ''
    for await (const { choices } of await streaming.completions.create({
      model: 'm',
      prompt: 'a',
      stream: true,
    })) {
      text += choices.find(({ index }) => index === 0)?.text ?? ''
    }
    expect(text).toBe('Once upon')
  })

  test('reads embeddings, which it asks for as base64, and the list of models', async () => {
    const reply = openaiEmbeddings.readReply(answers.embeddingAnswers[1]!)
    const client = openai(openaiEmbeddings, () => openaiEmbeddings.writeReply(reply, nothing))
    const answer = await client.embeddings.create({ model: 'e', input: 'a' })
    expect(answer.data[0]!.embedding).toEqual([1, 2])
    const list = await openai(openaiChat, () => writeModelList('openai', ['a', 'b'])).models.list()
    expect(list.data.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('throws typed errors with code and reason', async () => {
    const blocked = openaiError(
      new Refusal('content_blocked', { details: ['/messages/0/content: secret'] }),
      'r',
    )
    await expect(
      openai(openaiChat, () => blocked, 400).chat.completions.create(asking),
    ).rejects.toMatchObject({
      status: 400,
      code: 'content_filter',
      message: expect.stringContaining('/messages/0/content: secret'),
    })
    const denied = openaiError(new Refusal('policy_denied'), 'r')
    const asked = openai(openaiChat, () => denied, 403).chat.completions.create(asking)
    await expect(asked).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError)
  })
})

describe('the anthropic client', () => {
  const question = { ...asking, max_tokens: 9 }
  const whole =
    (changes: Partial<ReplyChanges> = {}) =>
    (): Json =>
      anthropicMessages.writeReply(anthropicMessages.readReply(answers.messageAnswers[0]!), {
        ...nothing,
        ...changes,
      })

  test('reads a whole answer with thoughts, citations and a tool', async () => {
    const answer = await anthropic(whole()).messages.create(question)
    expect(answer.content.map(({ type }) => type)).toEqual([
      'thinking',
      'redacted_thinking',
      'text',
      'tool_use',
    ])
    expect(answer.content[0]).toMatchObject({ signature: 'c2ln' })
    expect(answer.content[3]).toMatchObject({ name: 'get_weather', input: { town: 'Bern city' } })
    expect(answer).toMatchObject({ model: 'm', stop_reason: 'tool_use', usage: { input_tokens: 10 } })
  })

  test('sees a cut answer as refused and an edited thought unsigned', async () => {
    const cut = await anthropic(whole({ cuts: new Map([[0, 'content_filter']]) })).messages.create(question)
    expect(cut).toMatchObject({ content: [], stop_reason: 'refusal' })
    const edits = [{ path: ['content', 0, 'thinking'], value: '[X]' }]
    const edited = await anthropic(whole({ edits })).messages.create(question)
    expect(edited.content[0]).toEqual({ type: 'thinking', thinking: '[X]', signature: '' })
  })

  test('reads a stream with thoughts, text and a tool', async () => {
    const client = anthropic(streamed(anthropicMessages, streams.messageStream))
    const answer = await client.messages.stream(question).finalMessage()
    expect(answer.content).toMatchObject([
      { type: 'thinking', thinking: 'let me think', signature: 'c2lnbmVk' },
      { type: 'redacted_thinking', data: 'c2VhbGVk' },
      { type: 'text', text: 'Hello wörld 😀' },
      { type: 'tool_use', name: 'get_weather', input: { town: 'Bern' } },
    ])
    expect(answer).toMatchObject({ stop_reason: 'tool_use', usage: { input_tokens: 25, output_tokens: 15 } })
  })

  test('sees a cut in a stream as refused, without the text', async () => {
    const client = anthropic(streamed(anthropicMessages, streams.messageStream, cutAt(0, 'wörld')))
    const answer = await client.messages.stream(question).finalMessage()
    expect(answer.stop_reason).toBe('refusal')
    expect(answer.content.at(-1)).toMatchObject({ type: 'text', text: 'Hello ' })
  })

  test('throws on a stream that failed, and typed errors', async () => {
    const failed = anthropic(failing(anthropicMessages)).messages.stream(question).finalMessage()
    await expect(failed).rejects.toMatchObject({ type: 'api_error' })
    const denied = anthropicError(new Refusal('policy_denied'), 'req-1')
    const asked = anthropic(() => denied, 403).messages.create(question)
    await expect(asked).rejects.toMatchObject({ status: 403, type: 'permission_error' })
  })

  test('reads the list of models', async () => {
    const list = await anthropic(() => writeModelList('anthropic', ['a', 'b'])).models.list()
    expect(list.data.map(({ id }) => id)).toEqual(['a', 'b'])
  })
})
