import { isDeepStrictEqual } from 'node:util'
import type { Delta, Lane, StreamCodec, Usage } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import type { MessageNotes } from './anthropic-decode.ts'
import { anthropicUsage } from './anthropic-reply.ts'

const event = (type: string, members: string): string =>
  `event: ${type}\ndata: {"type":"${type}"${members}}\n\n`

interface Written {
  readonly model: string
  readonly notes: MessageNotes
  /** By lane key: blocks as the client counts them, those that were written, in order and without gaps. */
  readonly numbers: Map<string, number>
  readonly open: Map<string, Lane>
  begun: boolean
  ended: boolean
  usage: Usage | undefined
}

type Tool = { readonly id: string; readonly name: string } | undefined

/** Writes the stream of an Anthropic message. After the end of its text only `done` writes anything. */
export const encodeMessage = (model: string, notes: MessageNotes): StreamCodec['encode'] => {
  const written: Written = {
    model,
    notes,
    numbers: new Map(),
    open: new Map(),
    begun: false,
    ended: false,
    usage: undefined,
  }
  return (delta) => {
    switch (delta.kind) {
      case 'head':
        return begin(written, delta.id, delta.fields['usage'] as JsonObject)
      case 'usage':
        written.usage = delta.usage
        return ''
      case 'ping':
        return event('ping', '')
      case 'done':
        return event('message_stop', '')
      case 'open':
      case 'text':
      case 'arguments':
      case 'close':
      case 'finish':
      case 'cut':
        return written.ended ? '' : `${begin(written, '', {})}${ongoing(written, delta)}`
    }
  }
}

const begin = (written: Written, id: string, usage: JsonObject): string => {
  if (written.begun) return ''
  written.begun = true
  const message = { id, type: 'message', role: 'assistant', model: written.model, content: [] }
  const counts = { input_tokens: 0, output_tokens: 0, ...usage }
  return event(
    'message_start',
    `,"message":${JSON.stringify({ ...message, stop_reason: null, stop_sequence: null, usage: counts })}`,
  )
}

type Ongoing = Extract<Delta, { kind: 'open' | 'text' | 'arguments' | 'close' | 'finish' | 'cut' }>

const ongoing = (written: Written, delta: Ongoing): string => {
  switch (delta.kind) {
    case 'open':
      return start(written, delta.lane, delta.tool)
    case 'text':
      if (delta.text === '') return ''
      return `${start(written, delta.lane, undefined)}${piece(written, delta.lane, textPiece(written, delta))}`
    case 'arguments':
      if (delta.text === '') return ''
      return piece(
        written,
        delta.lane,
        `"type":"input_json_delta","partial_json":${JSON.stringify(delta.text)}`,
      )
    case 'close':
      return stop(written, delta.lane)
    case 'finish':
      return end(written, delta.reason, delta.stopSequence ?? null)
    case 'cut':
      return end(written, delta.reason === 'length' ? 'max_tokens' : 'refusal', null)
  }
}

const start = (written: Written, lane: Lane, tool: Tool): string => {
  if (written.numbers.has(lane.key)) return ''
  const number = written.numbers.size
  written.numbers.set(lane.key, number)
  written.open.set(lane.key, lane)
  const block = JSON.stringify(emptyBlock(lane, tool, written.notes))
  return event('content_block_start', `,"index":${number},"content_block":${block}`)
}

const piece = ({ numbers }: Written, lane: Lane, members: string): string =>
  event('content_block_delta', `,"index":${numbers.get(lane.key) ?? 0},"delta":{${members}}`)

const stop = (written: Written, lane: Lane): string => {
  if (!written.open.delete(lane.key)) return ''
  const block = written.notes.blocks.get(lane.key)
  // The signature is over the text as it was received, so it goes only with that.
  const signature = block?.unwritten === '' ? block.signature : ''
  const members = `"type":"signature_delta","signature":${JSON.stringify(signature)}`
  const signed = signature === '' ? '' : piece(written, lane, members)
  return `${signed}${event('content_block_stop', `,"index":${written.numbers.get(lane.key) ?? 0}`)}`
}

const end = (written: Written, reason: string, sequence: string | null): string => {
  written.ended = true
  const stops = [...written.open.values()].map((lane) => stop(written, lane)).join('')
  const delta = JSON.stringify({ stop_reason: reason, stop_sequence: sequence })
  const usage = JSON.stringify(counts(written.usage, written.notes.usage))
  return `${stops}${event('message_delta', `,"delta":${delta},"usage":${usage}`)}`
}

const emptyBlock = (lane: Lane, tool: Tool, notes: MessageNotes): JsonObject => {
  const data = notes.blocks.get(lane.key)?.data
  switch (lane.part) {
    case 'tool':
      return { type: 'tool_use', id: tool?.id ?? '', name: tool?.name ?? '', input: {} }
    case 'reasoning':
      return data === undefined
        ? { type: 'thinking', thinking: '', signature: '' }
        : { type: 'redacted_thinking', data }
    case 'content':
    case 'refusal':
      return { type: 'text', text: '' }
  }
}

const textPiece = ({ notes }: Written, { lane, text }: Extract<Delta, { kind: 'text' }>): string => {
  if (lane.part !== 'reasoning') return `"type":"text_delta","text":${JSON.stringify(text)}`
  const block = notes.blocks.get(lane.key)
  if (block) {
    block.unwritten = block.unwritten?.startsWith(text) ? block.unwritten.slice(text.length) : undefined
  }
  return `"type":"thinking_delta","thinking":${JSON.stringify(text)}`
}

/** As the model server counted, unless the guard counted otherwise. */
const counts = (usage: Usage | undefined, received: JsonObject): JsonObject => {
  if (usage === undefined) return { output_tokens: 0 }
  return isDeepStrictEqual(anthropicUsage(received), usage) ? received : { output_tokens: usage.output }
}
