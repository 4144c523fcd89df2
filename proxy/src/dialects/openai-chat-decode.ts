import type { Delta, Lane, ServerEvent, TokenLogprob } from '../core/dialect.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { joined, logprobRows, tokensOf } from './logprobs.ts'
import type { Row } from './rows.ts'
import { row } from './rows.ts'
import { shape } from './shapes.ts'
import type { Lanes } from './stream-reading.ts'
import { openaiUsage } from './openai-usage.ts'
import { streamKeys } from './stream-keys.ts'
import { newLanes, stream } from './stream-reading.ts'

const CHUNK = streamKeys('', {
  closed: 'id system_fingerprint service_tier',
  dropped: 'object model obfuscation',
  number: 'created',
  objects: 'choices usage',
})
const CHOICE = streamKeys('/choices/*', {
  closed: 'finish_reason',
  dropped: 'stop_reason',
  number: 'index',
  objects: 'delta logprobs',
})
const DELTA = streamKeys('/choices/*/delta', {
  scanned: 'content refusal reasoning_content reasoning',
  closed: 'role',
  objects: 'tool_calls function_call annotations',
})
const CALL = streamKeys('/choices/*/delta/tool_calls/*', {
  closed: 'id',
  dropped: 'type',
  number: 'index',
  objects: 'function custom',
})
const CALLED = { scanned: 'arguments input', closed: 'name' }
const FUNCTION = streamKeys('/choices/*/delta/tool_calls/*/function', CALLED)
const CUSTOM = streamKeys('/choices/*/delta/tool_calls/*/custom', CALLED)
const LEGACY = streamKeys('/choices/*/delta/function_call', CALLED)

export const chatStreamRows: readonly Row[] = [
  ...[CHUNK, CHOICE, DELTA, CALL, FUNCTION, CUSTOM, LEGACY].flatMap(({ rows }) => rows),
  ...logprobRows('/choices/*/logprobs'),
  ...row('dropped', {
    note: 'citations of a stream are left out: their text arrives beside the text that they cite',
  })('/choices/*/delta/annotations'),
  ...shape.counts.rows('/usage'),
]

const MAX_UNNAMED = 4096

/** How the client is to see what the lanes alone do not tell. */
export interface ChatNotes {
  /** Keys under which the model server sends reasoning: servers differ, and some use both. */
  readonly reasoningKeys: Set<string>
  /** By lane key: how the tool call is written. A plain function when absent. */
  readonly callForms: Map<string, 'custom' | 'legacy'>
  /** The last usage as the model server wrote it, details included. */
  usage: Json | undefined
}

interface State {
  readonly notes: ChatNotes
  readonly lanes: Lanes
  /** By lane key. The name is empty until the server has sent it. */
  readonly calls: Map<string, { id: string; name: string }>
  begun: boolean
  done: boolean
}

/** Reads the stream of an OpenAI chat completion. Citations are left out: their text arrives beside the lanes. */
export const decodeChat = (notes: ChatNotes): ((event: ServerEvent) => readonly Delta[]) => {
  const state: State = { notes, lanes: newLanes(), calls: new Map(), begun: false, done: false }
  return (event) => {
    if (state.done) return []
    if (event.data === '[DONE]') {
      state.done = true
      return [{ kind: 'done' }]
    }
    const chunk = stream.onlyKnown(stream.eventObject(event), CHUNK)
    const deltas: Delta[] = []
    if (!state.begun) deltas.push(head(chunk))
    state.begun = true
    for (const choice of stream.listOr(chunk['choices'])) readChoice(choice, deltas, state)
    const counts = stream.objectOr(chunk['usage'])
    const usage = counts && openaiUsage(counts)
    if (usage !== undefined) {
      notes.usage = shape.counts(counts ?? null)
      deltas.push({ kind: 'usage', usage })
    }
    return deltas
  }
}

/** The first delta of a stream in either OpenAI format. */
export const head = (chunk: JsonObject): Delta => {
  const fingerprint = stream.word(chunk['system_fingerprint'])
  const tier = stream.code(chunk['service_tier'])
  const created = chunk['created']
  return {
    kind: 'head',
    id: stream.word(chunk['id']) ?? '',
    model: stream.string(chunk['model']) ?? '',
    fields: {
      ...(typeof created === 'number' ? { created } : {}),
      ...(fingerprint === undefined ? {} : { system_fingerprint: fingerprint }),
      ...(tier === undefined ? {} : { service_tier: tier }),
    },
  }
}

const readChoice = (value: Json, deltas: Delta[], state: State): void => {
  const choice = stream.onlyKnown(stream.objectOr(value) ?? stream.invalid('a choice is null'), CHOICE)
  const number = stream.index(choice['index'])
  const delta = stream.onlyKnown(stream.objectOr(choice['delta']) ?? {}, DELTA)
  const role = stream.string(delta['role'])
  if (role !== undefined && role !== '' && role !== 'assistant') stream.invalid('an answer with another role')
  const logprobs = stream.objectOr(choice['logprobs'])

  readReasoning(delta, number, { deltas, state })
  for (const part of ['content', 'refusal'] as const) {
    const text = stream.string(delta[part])
    if (text === undefined) continue
    const lane = { key: `${number}/${part}`, choice: number, part, index: 0 }
    pushText(lane, text, { deltas, state, tokens: tokensOf(logprobs?.[part]) })
  }
  stream.listOr(delta['tool_calls']).forEach((call, position) => {
    readCall(call, { key: '', choice: number, part: 'tool', index: position }, { deltas, state })
  })
  readLegacyCall(delta, number, { deltas, state })

  const reason = stream.code(choice['finish_reason'])
  if (reason === undefined || state.lanes.isClosed(number)) return
  state.lanes.close(number, deltas)
  deltas.push({ kind: 'finish', choice: number, reason })
}

interface Into {
  readonly deltas: Delta[]
  readonly state: State
  readonly tokens?: readonly TokenLogprob[] | undefined
}

const pushText = (lane: Lane, text: string, { deltas, state, tokens }: Into): void => {
  if (state.lanes.isClosed(lane.choice) && text === '') return
  const opened = state.lanes.open(lane, deltas)
  const logprobs = tokens !== undefined && tokens.length > 0 && joined(tokens) === text ? tokens : undefined
  if (logprobs !== undefined) deltas.push({ kind: 'text', lane: opened, text, logprobs })
  else if (text !== '') deltas.push({ kind: 'text', lane: opened, text })
}

const readReasoning = (delta: JsonObject, choice: number, into: Into): void => {
  const older = stream.string(delta['reasoning_content'])
  const newer = stream.string(delta['reasoning'])
  const text = older ?? newer
  if (text === undefined) return
  if (older !== undefined && newer !== undefined && older !== newer)
    stream.invalid('two different reasonings')
  if (older !== undefined) into.state.notes.reasoningKeys.add('reasoning_content')
  if (newer !== undefined) into.state.notes.reasoningKeys.add('reasoning')
  pushText({ key: `${choice}/reasoning`, choice, part: 'reasoning', index: 0 }, text, into)
}

const readCall = (value: Json, place: Lane, into: Into): void => {
  const call = stream.onlyKnown(stream.objectOr(value) ?? {}, CALL)
  const index = stream.index(call['index'], place.index)
  const lane: Lane = { ...place, key: `${place.choice}/tool/${index}`, index }
  const custom = stream.objectOr(call['custom'])
  if (custom !== undefined) into.state.notes.callForms.set(lane.key, 'custom')
  const called =
    custom === undefined
      ? stream.onlyKnown(stream.objectOr(call['function']) ?? {}, FUNCTION)
      : stream.onlyKnown(custom, CUSTOM)
  readCalled(called, lane, { ...into, id: stream.word(call['id']) })
}

const readLegacyCall = (delta: JsonObject, choice: number, into: Into): void => {
  const call = stream.objectOr(delta['function_call'])
  if (call === undefined) return
  const lane: Lane = { key: `${choice}/function_call`, choice, part: 'tool', index: 0 }
  into.state.notes.callForms.set(lane.key, 'legacy')
  readCalled(stream.onlyKnown(call, LEGACY), lane, { ...into, id: '' })
}

const readCalled = (
  called: JsonObject,
  lane: Lane,
  into: Into & { readonly id: string | undefined },
): void => {
  const { deltas, state } = into
  const name = stream.word(called['name']) ?? ''
  const call = state.calls.get(lane.key) ?? { id: '', name: '' }
  if (call.name === '' && name === '' && state.calls.size > MAX_UNNAMED) {
    stream.invalid('a stream with too many tool calls without names')
  }
  state.calls.set(lane.key, call)
  if (call.name === '') {
    call.id ||= into.id ?? ''
    call.name = name
    const id = call.id || `call_${lane.choice}_${lane.index}`
    if (name !== '') state.lanes.open(lane, deltas, { id, name })
  } else if (name !== '' && name !== call.name) {
    stream.invalid('a tool call with two names')
  }
  const text = stream.string(called['arguments']) ?? stream.string(called['input']) ?? ''
  if (text === '') return
  if (call.name === '') stream.invalid('a tool call without a name')
  const opened = state.lanes.open(lane, deltas)
  deltas.push({ kind: 'arguments', lane: opened, text })
}
