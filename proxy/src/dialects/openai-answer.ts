import type { ReplyChanges, ReplyText, WholeReply } from '../core/dialect.ts'
import { withEdits } from '../core/edit.ts'
import type { JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { openaiUsage } from './openai-usage.ts'
import type { Reading } from './reading.ts'
import { newReading, refuse } from './reading.ts'
import type { Fields, Shape } from './shape.ts'
import { shape as s } from './shapes.ts'

const noOptions = { allowNonText: false, extras: new Set<string>() }

/** A choice of any answer: sets whose texts follow. */
export const numbered = (shape: Shape, finish: (choice: JsonObject, reading: Reading) => JsonObject): Shape =>
  s.custom(shape.rows, (value, reading) => {
    const index = isObject(value) ? (value['index'] ?? reading.path.at(-1)) : undefined
    reading.choice = Number.isInteger(index)
      ? (index as number)
      : refuse(reading, 'a choice without an index')
    return finish({ index: reading.choice, ...(shape(value, reading) as JsonObject) }, reading)
  })

/** What every OpenAI answer has around its content. */
export const envelope: Fields = {
  id: s.nullable(s.id),
  object: s.dropped,
  created: s.integer(0, Number.MAX_SAFE_INTEGER),
  model: s.dropped,
  system_fingerprint: s.nullable(s.id),
  service_tier: s.nullable(s.code),
  usage: s.nullable(s.counts),
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
    logprobs: reading.logprobs,
    finishReasons: choices.flatMap(({ finish_reason: reason }) =>
      typeof reason === 'string' ? [reason] : [],
    ),
    usage: isObject(read['usage']) ? openaiUsage(read['usage']) : undefined,
  }
}

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
