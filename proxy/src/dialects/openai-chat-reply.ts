import type { ReplyChanges, ReplyText, Usage, WholeReply } from '../core/dialect.ts'
import { nestedJson, withEdits } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { alternativeTexts, chatLogprobs, joined, tokensOf } from './logprobs.ts'
import type { Reading, Shape } from './reading.ts'
import { newReading, refuse } from './reading.ts'
import type { Fields } from './shapes.ts'
import { shape as s } from './shapes.ts'

const noOptions = { allowNonText: false, extras: new Set<string>() }

/** Top-level names of a JSON object in text, sorted; empty when it is none. */
export const argumentNames = (text: string): readonly string[] => {
  const value = nestedJson(text)
  return isObject(value) ? Object.keys(value).sort() : []
}

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

const toolCall: Shape = (value, reading) => {
  const call = anyCall(value, reading) as JsonObject
  const called = call['function'] ?? call['custom']
  if (!isObject(called)) return refuse(reading, 'a tool call without a function')
  reading.toolCalls.push({
    choice: reading.choice,
    id: (call['id'] ?? '') as string,
    name: called['name'] as string,
    arguments: typeof called['arguments'] === 'string' ? argumentNames(called['arguments']) : [],
  })
  return { type: call['custom'] === undefined ? 'function' : 'custom', ...call }
}

const legacyCall: Shape = (value, reading) => {
  const called = calledFunction(value, reading) as JsonObject
  reading.toolCalls.push({
    choice: reading.choice,
    id: '',
    name: called['name'] as string,
    arguments: argumentNames(called['arguments'] as string),
  })
  return called
}

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

/** The server's own copy of the tokens: read apart, once the message is known. */
const asIs: Shape = (value) => value

const choice: Shape = s.answer(
  {
    index: s.integer(0, 127),
    message,
    finish_reason: s.nullable(s.code),
    stop_reason: s.nullable(s.stringOr(s.text('assistant', 'parameter'), s.integer(0, 1e9))),
    logprobs: asIs,
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
    return [key, chatLogprobs(tokens)]
  })
  return kept.every(([, list]) => list === null) ? null : Object.fromEntries(kept)
}

/** A choice of any answer: sets whose texts follow. */
export const numbered =
  (shape: Shape, finish: (choice: JsonObject, reading: Reading) => JsonObject): Shape =>
  (value, reading) => {
    const index = isObject(value) ? (value['index'] ?? reading.path.at(-1)) : undefined
    reading.choice = Number.isInteger(index)
      ? (index as number)
      : refuse(reading, 'a choice without an index')
    return finish({ index: reading.choice, ...(shape(value, reading) as JsonObject) }, reading)
  }

const chatChoice = numbered(choice, (read, reading) => ({
  ...read,
  message: { role: 'assistant', content: null, refusal: null, ...(read['message'] as JsonObject) },
  logprobs: checkedLogprobs(read['logprobs'], read['message'] as JsonObject, reading),
}))

export const envelope: Fields = {
  id: s.nullable(s.id),
  object: s.dropped,
  created: s.integer(0, Number.MAX_SAFE_INTEGER),
  model: s.dropped,
  system_fingerprint: s.nullable(s.id),
  service_tier: s.nullable(s.code),
  usage: s.nullable(s.counts),
}

const body = s.answer({ ...envelope, choices: s.list(chatChoice, { max: 128 }) }, 'choices')

export const usageOf = (body: JsonObject): Usage | undefined => {
  const usage = body['usage']
  if (!isObject(usage)) return undefined
  const { prompt_tokens: input, completion_tokens: output } = usage
  return { input: typeof input === 'number' ? input : 0, output: typeof output === 'number' ? output : 0 }
}

/** Reads an answer that has choices by its shape. */
export const readChoices = (received: JsonObject, shape: Shape, object: string): WholeReply => {
  const texts: ReplyText[] = []
  const reading = newReading(
    'model_answer_invalid',
    noOptions,
    (text) => void texts.push({ ...text, choice: reading.choice }),
  )
  const read = shape(received, reading) as JsonObject
  const choices = read['choices'] as readonly JsonObject[]
  const numbers = choices.map((choice) => choice['index'] as number)
  if (new Set(numbers).size !== numbers.length) return refuse(reading, 'two choices with one index')
  const id = typeof read['id'] === 'string' ? read['id'] : ''
  return {
    body: { id, object, created: 0, ...read },
    id,
    model: typeof received['model'] === 'string' ? received['model'] : '',
    choices: numbers,
    texts,
    toolCalls: reading.toolCalls,
    finishReasons: choices.flatMap(({ finish_reason: reason }) =>
      typeof reason === 'string' ? [reason] : [],
    ),
    usage: usageOf(read),
  }
}

export const readChatReply = (received: JsonObject): WholeReply =>
  readChoices(received, body, 'chat.completion')

/** What is left of a choice that the guard cut. */
type Emptied = (choice: JsonObject) => JsonObject

/** Edits, cuts and the client's name for the model. Any edit or finding in a choice takes its probabilities away. */
export const writeChoices = (reply: WholeReply, changes: ReplyChanges, emptied: Emptied): JsonObject => {
  const edited = new Set(changes.edits.map(({ path }) => path[1]))
  const edits = changes.edits.filter(({ path }) => path[2] !== 'logprobs')
  const choices = withEdits(reply.body, edits)['choices'] as readonly JsonObject[]
  return {
    ...reply.body,
    model: changes.model,
    choices: choices.map((choice, position) => {
      const cut = changes.cuts.get(choice['index'] as number)
      if (cut !== undefined) return { ...emptied(choice), logprobs: null, finish_reason: cut }
      return edited.has(position) ? { ...choice, logprobs: null } : choice
    }),
  }
}

export const writeChatReply = (reply: WholeReply, changes: ReplyChanges): JsonObject =>
  writeChoices(reply, changes, ({ index }) => ({
    index: index as Json,
    message: { role: 'assistant', content: '', refusal: null },
  }))
