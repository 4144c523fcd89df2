import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../core/json.ts'
import { Refusal } from '../core/refusal.ts'
import { anthropicMessages } from './anthropic-messages.ts'
import { openaiChat } from './openai-chat.ts'
import * as answers from './test/answers.ts'

describe('answers', () => {
  const answer = (message: JsonObject, more: JsonObject = {}): JsonObject => ({
    id: 'c',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'hi', ...message }, finish_reason: 'stop', ...more },
    ],
  })

  test.each<readonly [JsonObject, RegExp]>([
    [answer({ thoughts: 'x'.repeat(65) }), /^\/choices\/0\/message\/thoughts: unknown key/],
    [answer({ thoughts: { deep: ['x'.repeat(65)] } }), /thoughts: unknown key/],
    [answer({ audio: { id: 'a' } }), /audio cannot be inspected/],
    [answer({ role: 'system' }), /role: must be one of/],
    [answer({ content: [{ type: 'text', text: 'a' }] }), /content: must be a string/],
    [answer({}, { finish_reason: 'because I say so' }), /finish_reason/],
    [
      answer({ tool_calls: [{ id: 'a b', function: { name: 'f', arguments: '' } }] }),
      /id: must be an identifier/,
    ],
    [
      answer({ tool_calls: [{ id: 'a', function: { name: 'f g', arguments: '' } }] }),
      /name: must be an identifier/,
    ],
    [
      answer({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: { a: 1 } } }] }),
      /arguments: must be a string/,
    ],
    [
      { id: 'c', choices: [answer({}), answer({})].flatMap(({ choices }) => choices as JsonObject[]) },
      /two choices/,
    ],
    [{ id: 'free text', choices: [] }, /id: must be an identifier/],
    [{ id: 'c' }, /choices is missing/],
  ])('%#: an answer that cannot be inspected is refused', (body, expected) => {
    expect(() => openaiChat.readReply(body)).toThrow(Refusal)
    try {
      openaiChat.readReply(body)
    } catch (error) {
      expect(error).toMatchObject({ code: 'model_answer_invalid' })
      expect((error as Refusal).details.join()).toMatch(expected)
    }
  })

  test('short unknown keys are left out', () => {
    const reply = openaiChat.readReply({ ...answer({ mood: 'good' }), provider: 'x' })
    expect(
      JSON.stringify(openaiChat.writeReply(reply, { edits: [], cuts: new Map(), model: 'm' })),
    ).not.toMatch(/mood|provider/)
  })

  test('alternatives of tokens are texts of their own, and a finding in them takes the probabilities away', () => {
    const reply = openaiChat.readReply(answers.chatAnswers[0]!)
    const joint = reply.texts.filter(({ path }) => path.includes('top'))
    expect(joint.map(({ value }) => value)).toEqual(['Hello wörld', 'Hi you'])
    const edits = [{ path: joint[1]!.path, value: '[X]' }]
    const written = openaiChat.writeReply(reply, { edits, cuts: new Map(), model: 'm' })
    expect((written['choices'] as JsonObject[])[0]).toMatchObject({
      logprobs: null,
      message: { content: 'Hello wörld' },
    })
  })

  test('probabilities that say something else than the text are left out', () => {
    const logprobs = { content: [{ token: 'secret', logprob: 0, bytes: [1], top_logprobs: [] }] }
    const reply = openaiChat.readReply(answer({}, { logprobs }))
    expect(JSON.stringify(reply.body)).not.toContain('secret')
  })

  test('bytes are made from the token', () => {
    const logprobs = {
      content: [{ token: 'hi', logprob: 0, bytes: [...Buffer.from('secret')], top_logprobs: [] }],
    }
    const reply = openaiChat.readReply(answer({}, { logprobs }))
    expect(reply.body['choices']).toMatchObject([{ logprobs: { content: [{ bytes: [104, 105] }] } }])
  })

  test('tool calls are told with the names of their arguments', () => {
    expect(openaiChat.readReply(answers.chatAnswers[0]!).toolCalls).toEqual([
      { choice: 1, id: 'call_1', name: 'get_weather', arguments: ['town'] },
      { choice: 1, id: 'call_2', name: 'sql', arguments: [] },
    ])
    expect(anthropicMessages.readReply(answers.messageAnswers[0]!).toolCalls).toEqual([
      { choice: 0, id: 'toolu_1', name: 'get_weather', arguments: ['deep key', 'town'] },
    ])
  })

  test.each<readonly [JsonObject, string | undefined]>([
    [{ error: { message: 'too long', type: 'x' } }, 'too long'],
    [{ object: 'error', message: 'too long', code: 400 }, 'too long'],
    [{ error: 'too long', error_type: 'x' }, 'too long'],
    [{ detail: 'Not Found' }, 'Not Found'],
    [{ type: 'error', error: { type: 'x', message: 'too long' } }, 'too long'],
    [{ error: { message: { a: 1 } } }, undefined],
    [{ html: 'too long' }, undefined],
  ])('the message of %j is %s', (body, message) => {
    expect(openaiChat.readError(body)).toBe(message)
  })
})
