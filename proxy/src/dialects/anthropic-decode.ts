import type { Delta, Lane, Prompt, StreamCodec } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { anthropicUsage } from './anthropic-reply.ts'
import type { Row } from './rows.ts'
import { everything, row } from './rows.ts'
import { shape } from './shapes.ts'
import { streamKeys } from './stream-keys.ts'
import { stream } from './stream-reading.ts'

const START = streamKeys('[type=message_start]', { closed: 'type', objects: 'message' })
const MESSAGE = streamKeys('[type=message_start]/message', {
  closed: 'id',
  dropped: 'type role model stop_reason stop_sequence stop_details container diagnostics',
  refused: 'content',
  objects: 'usage',
})
const BLOCK_EVENT = streamKeys('[type=content_block_start|content_block_delta|content_block_stop]', {
  closed: 'type',
  number: 'index',
  objects: 'content_block delta',
})
const BLOCK = streamKeys('[type=content_block_start]/content_block', {
  scanned: 'text thinking',
  closed: 'type id name',
  passed: 'signature data',
  dropped: 'caller toolset_name',
  objects: 'input citations',
})
const PIECE = streamKeys('[type=content_block_delta]/delta', {
  scanned: 'text partial_json thinking',
  closed: 'type',
  passed: 'signature',
  objects: 'citation',
})
const DELTA_EVENT = streamKeys('[type=message_delta]', {
  closed: 'type',
  dropped: 'context_management',
  objects: 'delta usage',
})
const DELTA = streamKeys('[type=message_delta]/delta', {
  closed: 'stop_reason',
  dropped: 'stop_details container',
  objects: 'stop_sequence',
})

const CITED = 'citations of a stream are left out: their text arrives beside the text that they cite'

export const messageStreamRows: readonly Row[] = [
  ...[START, MESSAGE, BLOCK_EVENT, BLOCK, PIECE, DELTA_EVENT, DELTA].flatMap(({ rows }) => rows),
  ...row('closed')('[type=message_stop|ping]/type'),
  ...row('dropped', { note: CITED })('[type=content_block_start]/content_block/citations'),
  ...row('dropped', { note: CITED })('[type=content_block_delta]/delta/citation'),
  ...row('closed', { note: 'one that the request has, where it was scanned; dropped otherwise' })(
    '[type=message_delta]/delta/stop_sequence',
  ),
  ...everything('scanned', { note: 'as JSON text' })('[type=content_block_start]/content_block/input'),
  ...shape.counts.rows('[type=message_start]/message/usage'),
  ...shape.counts.rows('[type=message_delta]/usage'),
]

/** What both ends of one stream know of a block that its deltas do not carry. */
export interface Block {
  /** Data of a sealed thought, which has no text. */
  readonly data: string | undefined
  signature: string
  /** Thinking that was received and not yet written; undefined once something else was written. */
  unwritten: string | undefined
}

export interface MessageNotes {
  /** By lane key. */
  readonly blocks: Map<string, Block>
  /** The last counts of each kind that the model server gave. */
  usage: JsonObject
}

interface State {
  readonly prompt: Prompt
  readonly notes: MessageNotes
  /** By index. */
  readonly open: Map<number, Lane>
  readonly seen: Set<number>
  /** What the event being read means. */
  deltas: Delta[]
}

/** Reads the stream of an Anthropic message. Citations are left out: their text arrives beside the lanes. */
export const decodeMessage = (prompt: Prompt, notes: MessageNotes): StreamCodec['decode'] => {
  const state: State = { prompt, notes, open: new Map(), seen: new Set(), deltas: [] }
  let done = false
  return (event) => {
    if (done || event.data === '[DONE]') return [] // vLLM ends with the OpenAI mark as well
    const data = stream.eventObject(event)
    const type = stream.string(data['type']) ?? ''
    if (event.event !== '' && event.event !== type) stream.invalid('a stream event with two types')
    const step = Object.hasOwn(steps, type) ? steps[type] : undefined
    if (step === undefined) return stream.invalid('a stream event of an unknown type')
    state.deltas = []
    step(data, state)
    done = type === 'message_stop'
    return state.deltas
  }
}

const begin = (event: JsonObject, state: State): void => {
  const message = stream.onlyKnown(stream.objectOr(stream.onlyKnown(event, START)['message']) ?? {}, MESSAGE)
  if (stream.listOr(message['content']).length > 0) stream.invalid('a stream begins with content')
  const usage = shape.counts(stream.objectOr(message['usage']) ?? {}) ?? {}
  const id = stream.word(message['id']) ?? ''
  state.deltas.push({ kind: 'head', id, model: stream.string(message['model']) ?? '', fields: { usage } })
  count(usage, state)
}

/** Counts in a stream are totals, and later ones may leave out what has not changed. */
const count = (value: Json | undefined, { notes, deltas }: State): void => {
  const counts = shape.counts(stream.objectOr(value) ?? {}) as JsonObject
  const given = Object.entries(counts).filter(([, total]) => total !== null)
  if (given.length === 0) return
  const totals = { ...notes.usage, ...Object.fromEntries(given) }
  const usage = anthropicUsage(totals)
  if (usage === undefined) return
  notes.usage = totals
  deltas.push({ kind: 'usage', usage })
}

const start = (event: JsonObject, state: State): void => {
  const index = stream.index(stream.onlyKnown(event, BLOCK_EVENT)['index'])
  const block = stream.onlyKnown(stream.objectOr(event['content_block']) ?? {}, BLOCK)
  if (state.seen.has(index)) stream.invalid('a content block begins twice')
  if (state.open.size > 0) stream.invalid('a content block begins within another')
  state.seen.add(index)
  const part = partOf(block['type'])
  const lane: Lane = { key: `0/${part}/${index}`, choice: 0, part, index }
  state.open.set(index, lane)
  const data = block['type'] === 'redacted_thinking' ? sealed(block['data']) : undefined
  const signature = sealed(block['signature']) ?? ''
  state.notes.blocks.set(lane.key, { data, signature, unwritten: '' })
  if (part !== 'tool') state.deltas.push({ kind: 'open', lane })
  else state.deltas.push({ kind: 'open', lane, tool: toolOf(block) })
  const text = stream.string(block['text']) ?? stream.string(block['thinking']) ?? ''
  if (part === 'tool' && text !== '') stream.invalid('a tool call with text')
  pushText(lane, text, state)
  const input = stream.objectOr(block['input']) ?? {}
  if (Object.keys(input).length > 0) {
    state.deltas.push({ kind: 'arguments', lane, text: stream.json(input) })
  }
}

const pushText = (lane: Lane, text: string, { notes, deltas }: State): void => {
  if (text === '') return
  const block = notes.blocks.get(lane.key)
  if (block?.unwritten !== undefined && lane.part === 'reasoning') block.unwritten += text
  deltas.push({ kind: 'text', lane, text })
}

const piece = (event: JsonObject, state: State): void => {
  const index = stream.index(stream.onlyKnown(event, BLOCK_EVENT)['index'])
  const lane = state.open.get(index) ?? stream.invalid('a piece of a block that is not open')
  const delta = stream.onlyKnown(stream.objectOr(event['delta']) ?? {}, PIECE)
  const [key, part] = pieceOf(delta['type'])
  if (part !== undefined && part !== lane.part) stream.invalid('a piece of another kind than its block')
  const text = key === undefined ? '' : (stream.string(delta[key]) ?? '')
  const block = state.notes.blocks.get(lane.key)
  if (key === 'signature' && block) block.signature += sealed(text) ?? ''
  else if (part !== 'tool') pushText(lane, text, state)
  else if (text !== '') state.deltas.push({ kind: 'arguments', lane, text })
}

const stop = (event: JsonObject, state: State): void => {
  const index = stream.index(stream.onlyKnown(event, BLOCK_EVENT)['index'])
  const lane = state.open.get(index) ?? stream.invalid('the end of a block that is not open')
  state.open.delete(index)
  state.deltas.push({ kind: 'close', lane })
}

const finish = (event: JsonObject, state: State): void => {
  const delta = stream.onlyKnown(stream.objectOr(stream.onlyKnown(event, DELTA_EVENT)['delta']) ?? {}, DELTA)
  count(event['usage'], state)
  const reason = stream.code(delta['stop_reason'])
  if (reason === undefined) return
  if (state.open.size > 0) stream.invalid('an answer ends within a block')
  const matched = stream.string(delta['stop_sequence'])
  // Only a string that the client sent, so it was inspected.
  const asked = state.prompt.body['stop_sequences']
  const known = matched !== undefined && Array.isArray(asked) && asked.includes(matched)
  state.deltas.push({ kind: 'finish', choice: 0, reason, ...(known ? { stopSequence: matched } : {}) })
}

const steps: Readonly<Record<string, (event: JsonObject, state: State) => void>> = {
  message_start: begin,
  content_block_start: start,
  content_block_delta: piece,
  content_block_stop: stop,
  message_delta: finish,
  message_stop: (_event, { deltas }) => void deltas.push({ kind: 'done' }),
  ping: (_event, { deltas }) => void deltas.push({ kind: 'ping' }),
}

const partOf = (type: Json | undefined): Lane['part'] => {
  switch (type) {
    case 'text':
      return 'content'
    case 'thinking':
    case 'redacted_thinking':
      return 'reasoning'
    case 'tool_use':
      return 'tool'
    default:
      return stream.invalid('a content block of a kind that cannot be inspected')
  }
}

/** Where a piece has its text, and in which part it belongs. A citation's text is left out of streams. */
const pieceOf = (type: Json | undefined): readonly [string | undefined, Lane['part'] | undefined] => {
  switch (type) {
    case 'text_delta':
      return ['text', 'content']
    case 'thinking_delta':
      return ['thinking', 'reasoning']
    case 'input_json_delta':
      return ['partial_json', 'tool']
    case 'signature_delta':
      return ['signature', 'reasoning']
    case 'citations_delta':
      return [undefined, undefined]
    default:
      return stream.invalid('a piece of an unknown kind')
  }
}

const sealed = (value: Json | undefined): string | undefined => {
  const text = stream.string(value)
  return text === undefined || /^[A-Za-z0-9+/=_-]*$/.test(text)
    ? text
    : stream.invalid('a signature that is not base64')
}

const toolOf = (block: JsonObject): { id: string; name: string } => {
  const [id, name] = [stream.word(block['id']), stream.word(block['name'])]
  return id && name ? { id, name } : stream.invalid('a tool call without id or name')
}
