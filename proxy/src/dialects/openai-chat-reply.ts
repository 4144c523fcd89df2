import type { ReplyChanges, WholeReply } from '../core/dialect.ts'
import { memberNames } from '../core/json-texts.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { alternativeTexts, chatLogprobs, joined, tokensOf, unreadLogprobs } from './logprobs.ts'
import { envelope, numbered, readChoices, writeChoices } from './openai-answer.ts'
import type { Reading } from './reading.ts'
import { refuse } from './reading.ts'
import { shape as s } from './shapes.ts'

const calledFunction = s.answer(
  { name: s.id, arguments: s.jsonText('assistant', 'tool_arguments') },
  'name',
  'arguments',
)
const calledCustom = s.answer({ name: s.id, input: s.text('assistant', 'tool_arguments') }, 'name', 'input')

const anyCall = s.answer({
  id: s.id,
  type: s.oneOf('function', 'custom'),
  index: s.dropped,
  function: calledFunction,
  custom: calledCustom,
})

const toolCall = s.refined(anyCall, (kept, reading) => {
  const call = kept as JsonObject
  const called = call['function'] ?? call['custom']
  if (!isObject(called)) return refuse(reading, 'a tool call without a function')
  // Policy judges one name: a client that reads the other would run what nobody judged.
  const form = call['custom'] === undefined ? 'function' : 'custom'
  if ((form === 'custom' && call['function'] !== undefined) || (call['type'] ?? form) !== form)
    return refuse(reading, 'a tool call of two kinds')
  reading.toolCalls.push({
    choice: reading.choice,
    id: (call['id'] ?? '') as string,
    name: called['name'] as string,
    arguments: typeof called['arguments'] === 'string' ? memberNames(called['arguments']) : [],
  })
  return { type: form, ...call }
})

const legacyCall = s.refined(calledFunction, (kept, reading) => {
  const called = kept as JsonObject
  reading.toolCalls.push({
    choice: reading.choice,
    id: '',
    name: called['name'] as string,
    arguments: memberNames(called['arguments'] as string),
  })
  return called
})

const annotations = s.list(
  s.answer(
    {
      type: s.oneOf('url_citation'),
      url_citation: s.answer({
        start_index: s.integer(0, 1e9),
        end_index: s.integer(0, 1e9),
        title: s.text('assistant', 'document'),
        url: s.text('assistant', 'document'),
      }),
    },
    'type',
  ),
)

const message = s.answer({
  role: s.oneOf('assistant'),
  content: s.nullable(s.text('assistant', 'message')),
  refusal: s.nullable(s.text('assistant', 'refusal')),
  reasoning_content: s.nullable(s.text('assistant', 'reasoning')),
  reasoning: s.nullable(s.text('assistant', 'reasoning')),
  tool_calls: s.nullable(s.list(toolCall, { max: 1024 })),
  function_call: s.nullable(legacyCall),
  annotations: s.nullable(annotations),
  audio: s.nullable(s.refused('audio cannot be inspected')),
})

const choice = s.answer(
  {
    index: s.integer(0, 127),
    message,
    finish_reason: s.nullable(s.code),
    stop_reason: s.nullable(s.stringOr(s.text('assistant', 'parameter'), s.integer(0, 1e9))),
    logprobs: unreadLogprobs,
  },
  'message',
)

/** Keeps the probabilities whose tokens make exactly the message, which is inspected; alternatives become texts. */
const checkedLogprobs = (value: Json | undefined, message: JsonObject, reading: Reading): Json => {
  if (!isObject(value)) return null
  const kept = ['content', 'refusal'].map((key): [string, Json] => {
    const tokens = tokensOf(value[key])
    if (tokens === undefined || joined(tokens) !== (message[key] ?? '')) return [key, null]
    alternativeTexts(tokens).forEach((text, rank) => {
      const path = [...reading.path, 'logprobs', key, 'top', rank]
      reading.add({ path, role: 'assistant', channel: 'message', value: text })
    })
    for (const token of tokens) reading.logprobs.push(token)
    return [key, chatLogprobs(tokens)]
  })
  return kept.every(([, list]) => list === null) ? null : Object.fromEntries(kept)
}

const chatChoice = numbered(choice, (read, reading) => ({
  ...read,
  message: { role: 'assistant', content: null, refusal: null, ...(read['message'] as JsonObject) },
  logprobs: checkedLogprobs(read['logprobs'], read['message'] as JsonObject, reading),
}))

const body = s.answer({ ...envelope, choices: s.list(chatChoice, { max: 128 }) }, 'choices')

export const chatReplyRows = body.rows('')

export const readChatReply = (received: JsonObject): WholeReply =>
  readChoices(received, body, 'chat.completion')

export const writeChatReply = (reply: WholeReply, changes: ReplyChanges): JsonObject =>
  writeChoices(reply, changes, ({ index }) => ({
    index: index as Json,
    message: { role: 'assistant', content: '', refusal: null },
  }))
