import type { Changes, Delta, Dialect, DialectOptions, Prompt, StreamCodec } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Role } from '../core/text.ts'
import { coverageOf } from './coverage.ts'
import { errorMessage, errorRows, plainError } from './errors.ts'
import { openaiChat } from './openai-chat.ts'
import { chatStreamRows } from './openai-chat-decode.ts'
import { chatReplyRows } from './openai-chat-reply.ts'
import { newReading, refuse } from './reading.ts'
import { row } from './rows.ts'
import type { Fields, Shape } from './shape.ts'
import { shape as s } from './shapes.ts'

/** Becomes a message, whose text is noted under the path that the model server sees. */
const anyText = (role: Role): Shape =>
  s.custom(row('scanned', { role, channel: 'message' }), (value, reading) =>
    typeof value === 'string' ? value : refuse(reading, 'must be a string'),
  )

const common: Fields = {
  model: s.model,
  max_tokens: s.integer(1, 10_000_000),
  temperature: s.number(0, 2),
  stream: s.boolean,
}

const llmBody = s.object({ ...common, prompt: anyText('user') }, 'prompt')

const turn = (role: Role): Shape =>
  s.object({ role: s.oneOf(role), content: anyText(role) }, 'role', 'content')

const turns = s.list(
  s.tagged('role', { system: turn('system'), user: turn('user'), assistant: turn('assistant') }),
)

const chatBody = s.object({ ...common, message: anyText('user'), history: turns }, 'message')

const messagesOf = (body: JsonObject): Json[] => [
  ...(Array.isArray(body['history']) ? (body['history'] as readonly Json[]) : []),
  { role: 'user', content: (body['prompt'] ?? body['message']) as string },
]

/** The chat completion that the model server gets for a simple request. */
const translated = (body: JsonObject, model: string): JsonObject => ({
  model,
  messages: messagesOf(body),
  ...Object.fromEntries(
    ['max_tokens', 'temperature', 'stream'].flatMap((key) => (key in body ? [[key, body[key] as Json]] : [])),
  ),
})

const readSimple =
  (shape: Shape) =>
  (body: JsonObject, options: DialectOptions): Prompt => {
    const reading = newReading('body_invalid', options, () => undefined)
    shape(body, reading)
    const model = body['model'] ?? options.defaultModel
    if (model === undefined)
      return refuse(reading, 'the key model is missing, and the operator set no default')
    // Read again by the dialect of the model server, so that texts and parameters come from the one table.
    return openaiChat.read(translated(body, model as string), options)
  }

const write = (prompt: Prompt, changes: Changes): JsonObject => openaiChat.write(prompt, changes)

const textOf = (message: Json | undefined): string => {
  if (!isObject(message)) return ''
  return ((message['content'] as string | null) || (message['refusal'] as string | null)) ?? ''
}

const writeReply: Dialect['writeReply'] = (reply, changes) => {
  const body = openaiChat.writeReply(reply, changes)
  const first = (body['choices'] as readonly JsonObject[])[0]
  const usage = reply.usage
  return {
    id: body['id'] as Json,
    model: changes.model,
    response: textOf(first?.['message']),
    finish_reason: first?.['finish_reason'] ?? 'stop',
    usage: usage ? { input_tokens: usage.input, output_tokens: usage.output } : null,
  }
}

/** Text of the answer only: no reasoning, no tool calls, which a simple request cannot ask for. */
const encodeSimple = (): StreamCodec['encode'] => {
  let ended = false
  return (delta: Delta) => {
    switch (delta.kind) {
      case 'text':
        return ended || delta.text === '' || (delta.lane.part !== 'content' && delta.lane.part !== 'refusal')
          ? ''
          : `data: {"delta":${JSON.stringify(delta.text)}}\n\n`
      case 'finish':
      case 'cut':
        if (ended) return ''
        ended = true
        return `data: {"finish_reason":${JSON.stringify(delta.reason)}}\n\n`
      case 'ping':
        return ': ping\n\n'
      case 'done':
        return 'data: [DONE]\n\n'
      case 'head':
      case 'open':
      case 'arguments':
      case 'close':
      case 'usage':
        return ''
    }
  }
}

const simple = (name: string, shape: Shape): Dialect => ({
  name,
  operation: 'chat',
  read: readSimple(shape),
  write,
  readReply: (received) => openaiChat.readReply(received),
  writeReply,
  openStream: (prompt, model) => {
    const upstream = openaiChat.openStream?.(prompt, model)
    return {
      decode: (event) => upstream?.decode(event) ?? [],
      encode: encodeSimple(),
      fail: (refusal, id) => `data: ${JSON.stringify(plainError(refusal, id))}\n\n`,
    }
  },
  readError: errorMessage,
  // The model server answers as it does to a chat completion; all of it is inspected, and its text passed on.
  coverage: coverageOf({
    request: shape.rows(''),
    response: chatReplyRows,
    stream: chatStreamRows,
    error: errorRows,
  }),
})

/** `POST /llm {prompt, model?, max_tokens?, temperature?, stream?}`. */
export const llm = simple('simple.llm', llmBody)

/** `POST /chat {message, history?, …}`: `history` holds the turns before, oldest first. */
export const chat = simple('simple.chat', chatBody)
