import type { Delta, Dialect, Lane, ServerEvent, TokenLogprob } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { coverageOf } from './coverage.ts'
import { errorMessage, errorRows } from './errors.ts'
import { legacyLogprobs, legacyTokens, streamTokens } from './legacy-logprobs.ts'
import { alternativeTexts, joined, logprobRows, unreadLogprobs } from './logprobs.ts'
import { failOpenai } from './openai-chat.ts'
import { head } from './openai-chat-decode.ts'
import type { Envelope, UsageNotes } from './openai-envelope.ts'
import { newEnvelope } from './openai-envelope.ts'
import { envelope, numbered, readChoices, writeChoices } from './openai-answer.ts'
import { samplingFields, samplingParams, writeRequest } from './openai-request.ts'
import { readRequest, requestShape } from './request.ts'
import type { Reading } from './reading.ts'
import { row } from './rows.ts'
import { shape as s } from './shapes.ts'
import { openaiUsage } from './openai-usage.ts'
import { streamKeys } from './stream-keys.ts'
import { newLanes, stream } from './stream-reading.ts'

const tokenNumber = s.integer(0, 10_000_000)
const tokenList = s.list(tokenNumber, { max: 1_000_000 })
const tokenIds = s.nonText(
  'a prompt of token numbers',
  s.custom((place) => row('passed')(`${place}/* as token numbers`), tokenList),
)
const prompt = s.text('user', 'message')
const prompts = s.list(s.stringOr(prompt, tokenIds), { min: 1 })

/** Strings, or numbers of tokens, or lists of those. */
export const promptShape = s.stringOr(
  prompt,
  s.custom(
    (place) => [...tokenIds.rows(place), ...prompts.rows(place)],
    (value, reading) =>
      (Array.isArray(value) && typeof value[0] === 'number' ? tokenIds : prompts)(value, reading),
  ),
)

const table = {
  shape: requestShape(
    {
      ...samplingFields,
      prompt: s.nullable(promptShape),
      best_of: s.nullable(s.integer(0, 128)),
      echo: s.nullable(s.boolean),
      logprobs: s.nullable(s.integer(0, 100)),
      suffix: s.nullable(s.text('user', 'message')),
    },
    'model',
    'prompt',
  ),
  upstreamPath: '/v1/completions',
  params: samplingParams,
  prompts: ({ prompt }: JsonObject) =>
    Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1,
}

const checkedLogprobs = (value: Json | undefined, text: Json | undefined, reading: Reading): Json => {
  const tokens = legacyTokens(value)
  if (tokens === undefined || tokens.map(({ token }) => token).join('') !== text) return null
  alternativeTexts(tokens.map((token) => ({ ...token, logprob: token.logprob ?? 0 }))).forEach(
    (joint, rank) => {
      const path = [...reading.path, 'logprobs', 'top', rank]
      reading.add({ path, role: 'assistant', channel: 'message', value: joint })
    },
  )
  for (const { token, logprob, top } of tokens)
    if (logprob !== null) reading.logprobs.push({ token, logprob, top })
  return legacyLogprobs(tokens, 0)
}

const choice = numbered(
  s.answer(
    {
      index: s.integer(0, 127),
      text: s.text('assistant', 'message'),
      finish_reason: s.nullable(s.code),
      stop_reason: s.nullable(s.stringOr(s.text('assistant', 'parameter'), s.integer(0, 1e9))),
      logprobs: unreadLogprobs,
    },
    'text',
  ),
  (read, reading) => ({ ...read, logprobs: checkedLogprobs(read['logprobs'], read['text'], reading) }),
)

const body = s.answer({ ...envelope, choices: s.list(choice, { max: 128 }) }, 'choices')

const CHUNK = streamKeys('', {
  closed: 'id system_fingerprint',
  dropped: 'object model',
  number: 'created',
  objects: 'choices usage',
})
const CHOICE = streamKeys('/choices/*', {
  scanned: 'text',
  closed: 'finish_reason',
  dropped: 'stop_reason',
  number: 'index',
  objects: 'logprobs',
})
const streamRows = [
  ...CHUNK.rows,
  ...CHOICE.rows,
  ...logprobRows('/choices/*/logprobs'),
  ...s.counts.rows('/usage'),
]

const decode = (notes: UsageNotes): ((event: ServerEvent) => readonly Delta[]) => {
  const lanes = newLanes()
  let [begun, done] = [false, false]
  const readChoice = (value: Json, deltas: Delta[]): void => {
    const choice = stream.onlyKnown(stream.objectOr(value) ?? stream.invalid('a choice is null'), CHOICE)
    const number = stream.index(choice['index'])
    const text = stream.string(choice['text']) ?? ''
    if (text !== '' || !lanes.isClosed(number)) {
      const lane = lanes.open({ key: `${number}/content`, choice: number, part: 'content', index: 0 }, deltas)
      const logprobs = streamTokens(choice['logprobs'])
      if (logprobs && logprobs.length > 0 && joined(logprobs) === text) {
        deltas.push({ kind: 'text', lane, text, logprobs })
      } else if (text !== '') deltas.push({ kind: 'text', lane, text })
    }
    const reason = stream.code(choice['finish_reason'])
    if (reason === undefined || lanes.isClosed(number)) return
    lanes.close(number, deltas)
    deltas.push({ kind: 'finish', choice: number, reason })
  }
  return (event) => {
    if (done) return []
    done = event.data === '[DONE]'
    if (done) return [{ kind: 'done' }]
    const chunk = stream.onlyKnown(stream.eventObject(event), CHUNK)
    const deltas: Delta[] = begun ? [] : [head(chunk)]
    begun = true
    for (const value of stream.listOr(chunk['choices'])) readChoice(value, deltas)
    const counts = stream.objectOr(chunk['usage'])
    const usage = counts && openaiUsage(counts)
    if (usage !== undefined) {
      notes.usage = s.counts(counts ?? null)
      deltas.push({ kind: 'usage', usage })
    }
    return deltas
  }
}

const encode = (envelope: Envelope): ((delta: Delta) => string) => {
  const ended = new Set<number>()
  const offsets = new Map<number, number>()
  const chunk = ({ choice }: Lane, text: string, tokens?: readonly TokenLogprob[]): string => {
    if (ended.has(choice)) return ''
    const offset = offsets.get(choice) ?? 0
    if (tokens) offsets.set(choice, offset + joined(tokens).length)
    const logprobs = tokens ? JSON.stringify(legacyLogprobs(tokens, offset)) : 'null'
    return envelope.choice(
      `{"index":${choice},"text":${JSON.stringify(text)},"logprobs":${logprobs},"finish_reason":null}`,
    )
  }
  return (delta) => {
    switch (delta.kind) {
      case 'head':
        envelope.head(delta.id, delta.fields)
        return ''
      case 'open':
        return chunk(delta.lane, '')
      case 'text':
        return chunk(delta.lane, delta.text, delta.logprobs)
      case 'arguments':
      case 'close':
        return ''
      case 'finish':
      case 'cut':
        if (ended.has(delta.choice)) return ''
        ended.add(delta.choice)
        return envelope.choice(
          `{"index":${delta.choice},"text":"","logprobs":null,"finish_reason":${JSON.stringify(delta.reason)}}`,
        )
      case 'usage':
        envelope.usage(delta.usage)
        return ''
      case 'ping':
        return ': ping\n\n'
      case 'done':
        return envelope.done()
    }
  }
}

/** `POST /v1/completions` of OpenAI and of the servers that copy it. */
export const openaiCompletions: Dialect = {
  name: 'openai.completions',
  operation: 'text_completion',
  read: (body: JsonObject, options) => readRequest(body, options, table),
  write: writeRequest,
  readReply: (received) => readChoices(received, body, 'text_completion'),
  writeReply: (reply, changes) =>
    writeChoices(reply, changes, ({ index }) => ({ index: index as Json, text: '' })),
  openStream: (prompt, model) => {
    const notes: UsageNotes = { usage: undefined }
    return {
      decode: decode(notes),
      encode: encode(newEnvelope(prompt, { model, object: 'text_completion', notes })),
      fail: failOpenai,
    }
  },
  readError: errorMessage,
  coverage: coverageOf({
    request: table.shape.rows(''),
    response: body.rows(''),
    stream: streamRows,
    error: errorRows,
  }),
}
