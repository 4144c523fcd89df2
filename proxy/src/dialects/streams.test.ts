import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Delta, Dialect, Lane, ServerEvent, StreamCodec } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import { Refusal } from '../core/refusal.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { llm } from './simple.ts'
import * as streams from './test/streams.ts'

const options = { allowNonText: false, extras: new Set<string>(), defaultModel: 'm' }

const bodies = new Map<Dialect, JsonObject>([
  [
    openaiChat,
    {
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'hi' }],
    },
  ],
  [openaiCompletions, { model: 'm', stream: true, stream_options: { include_usage: true }, prompt: 'hi' }],
  [
    anthropicMessages,
    {
      model: 'm',
      stream: true,
      max_tokens: 9,
      stop_sequences: ['END'],
      messages: [{ role: 'user', content: 'hi' }],
    },
  ],
  [llm, { prompt: 'hi', stream: true }],
])

const open = (dialect: Dialect, more: JsonObject = {}): StreamCodec =>
  dialect.openStream!(dialect.read({ ...bodies.get(dialect)!, ...more }, options), 'shown-model')

/** The events in the text of a stream. */
const events = (text: string): ServerEvent[] =>
  text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
      data: /^data: (.*)$/m.exec(block)?.[1] ?? '',
    }))

const decoded = (codec: StreamCodec, stream: readonly ServerEvent[]): Delta[] =>
  stream.flatMap((event) => codec.decode(event))

const through = (dialect: Dialect, stream: readonly ServerEvent[], more: JsonObject = {}): string => {
  const codec = open(dialect, more)
  return stream.flatMap((event) => codec.decode(event).map((delta) => codec.encode(delta))).join('')
}

const named = (deltas: readonly Delta[]): unknown[] =>
  deltas.map((delta) => {
    if (delta.kind === 'head') return { ...delta, model: '' }
    if (delta.kind !== 'text' || !delta.logprobs) return delta
    return { ...delta, logprobs: delta.logprobs.map((token) => ({ ...token })) }
  })

const cases: readonly (readonly [string, Dialect, readonly ServerEvent[]])[] = [
  ['chat', openaiChat, streams.chatStream],
  ['chat of other servers', openaiChat, streams.otherChatStream],
  ['completions', openaiCompletions, streams.completionStream],
  ['messages', anthropicMessages, streams.messageStream],
]

describe.each(cases)('%s', (_name, dialect, stream) => {
  test('what is written is read as what was received', () => {
    const before = decoded(open(dialect), stream)
    const after = decoded(open(dialect), events(through(dialect, stream)))
    const pings = (deltas: readonly Delta[]): Delta[] => deltas.filter(({ kind }) => kind !== 'ping')
    expect(named(pings(after))).toEqual(named(pings(before)))
    expect(before.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['head', 'open', 'text', 'finish', 'done']),
    )
  })

  test('the client sees the model it asked for, and nothing after the end', () => {
    const text = through(dialect, [...stream, ...stream])
    expect(text).toContain('"model":"shown-model"')
    expect(text).toBe(through(dialect, stream))
  })

  test('a cut choice looks cut and says no more', () => {
    const codec = open(dialect)
    const lane: Lane = { key: '0/content', choice: 0, part: 'content', index: 0 }
    const all: Delta[] = [
      { kind: 'head', id: 'id-1', model: 'x', fields: {} },
      { kind: 'open', lane },
      { kind: 'text', lane, text: 'so far' },
      { kind: 'cut', choice: 0, reason: 'content_filter' },
      { kind: 'text', lane, text: 'secret' },
      { kind: 'close', lane },
      { kind: 'finish', choice: 0, reason: 'stop' },
      { kind: 'done' },
    ]
    const text = all.map((delta) => codec.encode(delta)).join('')
    expect(text).not.toContain('secret')
    expect(text).toMatch(/content_filter|refusal/)
    expect(text).not.toMatch(/"(finish|stop)_reason":"stop"/)
    const reasons = decoded(open(dialect), events(text)).filter(({ kind }) => kind === 'finish')
    expect(reasons.length).toBe(1)
  })

  test('a cut before anything was written is a whole stream', () => {
    const codec = open(dialect)
    const text = codec.encode({ kind: 'cut', choice: 0, reason: 'length' }) + codec.encode({ kind: 'done' })
    const kinds = decoded(open(dialect), events(text)).map(({ kind }) => kind)
    expect(kinds[0]).toBe('head')
    expect(kinds.slice(-2)).toEqual(['finish', 'done'])
    expect(text).toMatch(/"length"|"max_tokens"/)
  })

  test('text that is cut anywhere or held back comes out whole', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }), (cuts) => {
        const codec = open(dialect)
        let text = ''
        let turn = 0
        for (const delta of decoded(codec, stream)) {
          if (delta.kind !== 'text' || delta.logprobs) {
            text += codec.encode(delta)
            continue
          }
          for (let rest = delta.text; rest !== '';) {
            const size = 1 + cuts[turn++ % cuts.length]!
            text += codec.encode({ ...delta, text: rest.slice(0, size) })
            rest = rest.slice(size)
          }
        }
        const said = (deltas: readonly Delta[]): Record<string, string> => {
          const lanes: Record<string, string> = {}
          for (const delta of deltas) {
            if (delta.kind === 'text' || delta.kind === 'arguments') {
              lanes[delta.lane.key] = (lanes[delta.lane.key] ?? '') + delta.text
            }
          }
          return lanes
        }
        expect(said(decoded(open(dialect), events(text)))).toEqual(said(decoded(open(dialect), stream)))
      }),
      { numRuns: 50 },
    ))

  test('an event with anything in it is refused, or what reaches the client was handed to the guard', () =>
    fc.assert(
      fc.property(fc.nat(stream.length - 1), fc.nat(), fc.nat(4), (at, place, kind) => {
        const event = stream[at]!
        const wild = ['"free text"', '{"free text":"free text"}', '["free text"]', 'null', '7'][kind]!
        const values = [...event.data.matchAll(/"[^"]*"(?!:)|\btrue\b|\bnull\b|\b\d+\b|\{\}|\[\]/g)]
        const target = values[place % Math.max(values.length, 1)]
        if (target === undefined) return
        const data =
          event.data.slice(0, target.index) + wild + event.data.slice(target.index + target[0].length)
        try {
          JSON.parse(data)
        } catch {
          return
        }
        const codec = open(dialect)
        let handed = ''
        let text = ''
        try {
          for (const each of [...stream.slice(0, at), { ...event, data }, ...stream.slice(at + 1)]) {
            for (const delta of codec.decode(each)) {
              if (delta.kind === 'text' || delta.kind === 'arguments') handed += delta.text
              if (delta.kind === 'text') handed += JSON.stringify(delta.logprobs ?? '')
              text += codec.encode(delta)
            }
          }
        } catch (error) {
          if (!(error instanceof Refusal)) throw error
          return
        }
        if (text.includes('free text')) expect(handed).toContain('free text')
      }),
      { numRuns: 1000 },
    ))
})

const chunk = (delta: JsonObject, more: JsonObject = {}): ServerEvent => ({
  event: '',
  data: JSON.stringify({ id: 'c', choices: [{ index: 0, delta, ...more }] }),
})

test.each<readonly [string, ServerEvent, string]>([
  ['not JSON', { event: '', data: '{' }, 'model_answer_invalid'],
  ['not an object', { event: '', data: '[]' }, 'model_answer_invalid'],
  ['an error', { event: '', data: '{"error":{"message":"boom"}}' }, 'model_unavailable'],
  ['an error as text, as TGI sends it', { event: '', data: '{"error":"boom"}' }, 'model_unavailable'],
  ['an error event', { event: 'error', data: '{"message":"boom"}' }, 'model_unavailable'],
  ['an unknown key with text', chunk({ thoughts: 'x'.repeat(100) }), 'model_answer_invalid'],
  ['audio', chunk({ audio: { transcript: 'x'.repeat(100) } }), 'model_answer_invalid'],
  ['another role', chunk({ role: 'user', content: 'a' }), 'model_answer_invalid'],
  ['a number as content', chunk({ content: 7 }), 'model_answer_invalid'],
  [
    'a huge index',
    { event: '', data: '{"choices":[{"index":99999999,"delta":{}}]}' },
    'model_answer_invalid',
  ],
  [
    'arguments without a name',
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{' } }] }),
    'model_answer_invalid',
  ],
  ['two reasonings', chunk({ reasoning: 'a', reasoning_content: 'b' }), 'model_answer_invalid'],
])('a stream with %s is refused without quoting it', (_name, event, code) => {
  try {
    open(openaiChat).decode(event)
  } catch (error) {
    expect(error).toMatchObject({ code, cause: undefined })
    expect(JSON.stringify((error as Refusal).details)).not.toMatch(/boom|xxx/)
    return
  }
  throw new Error('accepted')
})

test('text after the end of its choice is refused', () => {
  const codec = open(openaiChat)
  codec.decode(chunk({ content: 'a' }, { finish_reason: 'stop' }))
  expect(codec.decode(chunk({ content: '' }))).toEqual([])
  expect(() => codec.decode(chunk({ content: 'b' }))).toThrow(Refusal)
})

test.each<readonly [string, ServerEvent]>([
  ['an unknown event', { event: 'new_event', data: '{"type":"new_event"}' }],
  ['two types', { event: 'ping', data: '{"type":"message_stop"}' }],
  [
    'a server tool',
    {
      event: '',
      data: '{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use"}}',
    },
  ],
  [
    'a piece of no block',
    { event: '', data: '{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"a"}}' },
  ],
])('a message stream with %s is refused', (_name, event) => {
  expect(() => open(anthropicMessages).decode(event)).toThrow(Refusal)
})

test('what a stream makes us remember is bounded', () => {
  const calls = (name: string) => (): void => {
    const codec = open(openaiChat)
    for (let choice = 0; choice < 100; choice++) {
      for (let index = 0; index < 100; index++) {
        const call = { index, id: 'a', function: { name, arguments: '' } }
        codec.decode({
          event: '',
          data: JSON.stringify({ choices: [{ index: choice, delta: { tool_calls: [call] } }] }),
        })
      }
    }
  }
  expect(calls('f')).toThrow(Refusal)
  expect(calls('')).toThrow(Refusal)
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const block = `{"type":"tool_use","id":"a","name":"b","input":{"a":${deep}}}`
  const data = `{"type":"content_block_start","index":0,"content_block":${block}}`
  expect(() => open(anthropicMessages).decode({ event: '', data })).toThrow(Refusal)
})

test('usage is left out when the client did not ask, and goes with its details when it did', () => {
  expect(through(openaiChat, streams.chatStream)).toContain('"prompt_tokens_details":{"cached_tokens":4}')
  expect(through(openaiChat, streams.chatStream, { stream_options: null })).not.toContain('usage')
  expect(through(openaiCompletions, streams.completionStream, { stream_options: null })).not.toContain(
    'usage',
  )
})

test('a stream that is asked for always reports usage to the guard', () => {
  const prompt = openaiChat.read(
    { model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] },
    options,
  )
  const written = openaiChat.write(prompt, { edits: [], model: 'm', removeTools: [] })
  expect(written['stream_options']).toEqual({ include_usage: true })
})

test('token probabilities may come later than their text', () => {
  const codec = open(openaiChat)
  const lane: Lane = { key: '0/content', choice: 0, part: 'content', index: 0 }
  const text =
    codec.encode({ kind: 'text', lane, text: 'Hello' }) +
    codec.encode({ kind: 'text', lane, text: '', logprobs: [{ token: 'Hello', logprob: -1, top: [] }] })
  expect(text).toContain('"content":"Hello"')
  expect(text).toContain(
    '"delta":{"content":""},"logprobs":{"content":[{"token":"Hello","logprob":-1,"bytes":[72,',
  )
})

test('probabilities whose tokens are not the text are left out', () => {
  const logprobs = { content: [{ token: 'Hullo', logprob: -1, top_logprobs: [] }] }
  const deltas = open(openaiChat).decode(chunk({ content: 'Hello' }, { logprobs }))
  expect(deltas.at(-1)).not.toHaveProperty('logprobs')
})

test('a signature goes only with the thoughts that it signs', () => {
  expect(through(anthropicMessages, streams.messageStream)).toContain('"signature":"c2lnbmVk"')
  const codec = open(anthropicMessages)
  const text = decoded(codec, streams.messageStream)
    .map((delta) =>
      codec.encode(delta.kind === 'text' ? { ...delta, text: delta.text.replace('think', '[X]') } : delta),
    )
    .join('')
  expect(text).toContain('[X]')
  expect(text).not.toContain('c2lnbmVk')
})

test('blocks are numbered without gaps when the guard leaves one out', () => {
  const codec = open(anthropicMessages)
  const text = decoded(codec, streams.messageStream)
    .filter((delta) => !('lane' in delta) || delta.lane.index > 1)
    .map((delta) => codec.encode(delta))
    .join('')
  const indexes = events(text).flatMap(({ data }) => /"index":(\d)/.exec(data)?.[1] ?? [])
  expect([...new Set(indexes)]).toEqual(['0', '1'])
})

test('a simple stream has deltas, a reason and an end', () => {
  expect(through(llm, streams.chatStream.slice(0, 2))).toBe('data: {"delta":"Hel"}\n\n')
  const text = through(llm, streams.chatStream)
  expect(text.endsWith('data: {"finish_reason":"stop"}\n\ndata: [DONE]\n\n')).toBe(true)
  expect(text).not.toContain('think')
  expect(open(llm).fail(new Refusal('model_timeout'), 'r1')).toContain('"code":"model_timeout"')
})
