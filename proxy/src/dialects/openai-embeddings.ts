import type { Dialect } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { coverageOf } from './coverage.ts'
import { errorMessage, errorRows } from './errors.ts'
import { envelope } from './openai-answer.ts'
import { openaiUsage } from './openai-usage.ts'
import { promptShape } from './openai-completions.ts'
import { writeRequest } from './openai-request.ts'
import { readRequest, requestShape } from './request.ts'
import { row } from './rows.ts'
import { newReading, refuse } from './reading.ts'
import { shape as s } from './shapes.ts'

const table = {
  shape: requestShape(
    {
      model: s.model,
      input: promptShape,
      dimensions: s.integer(1, 1_000_000),
      encoding_format: s.oneOf('float', 'base64'),
      user: s.text('definition', 'parameter'),
    },
    'model',
    'input',
  ),
  upstreamPath: '/v1/embeddings',
  params: () => ({}),
}

const vector = s.custom(row('passed', { note: 'a vector: numbers or base64' }), (value, reading) => {
  if (typeof value === 'string') return s.base64(value, reading)
  return Array.isArray(value) && value.every((entry) => typeof entry === 'number')
    ? value
    : refuse(reading, 'must be numbers or base64')
})

const body = s.answer(
  {
    ...envelope,
    data: s.list(
      s.answer(
        { object: s.oneOf('embedding'), index: s.integer(0, 1_000_000), embedding: vector },
        'embedding',
      ),
      { max: 100_000 },
    ),
  },
  'data',
)

/** `POST /v1/embeddings`. An answer has no text; vectors pass as they are. */
export const openaiEmbeddings: Dialect = {
  name: 'openai.embeddings',
  operation: 'embeddings',
  read: (body, options) => readRequest(body, options, table),
  write: (prompt, { edits, model }) => writeRequest(prompt, { edits, model, removeTools: [] }),
  readReply: (received) => {
    const options = { allowNonText: false, extras: new Set<string>() }
    const reading = newReading('model_answer_invalid', options, () => undefined)
    const read = body(received, reading) as JsonObject
    return {
      body: { object: 'list', ...read },
      id: typeof read['id'] === 'string' ? read['id'] : '',
      model: typeof received['model'] === 'string' ? received['model'] : '',
      choices: [],
      texts: [],
      toolCalls: [],
      logprobs: [],
      finishReasons: [],
      usage: isObject(read['usage']) ? openaiUsage(read['usage']) : undefined,
    }
  },
  writeReply: (reply, { model }) => ({ ...reply.body, model }),
  openStream: undefined,
  readError: errorMessage,
  coverage: coverageOf({
    request: table.shape.rows(''),
    response: body.rows(''),
    stream: [],
    error: errorRows,
  }),
}
