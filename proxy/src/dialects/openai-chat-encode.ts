import type { Delta, Lane } from '../core/dialect.ts'
import type { Json } from '../core/json.ts'
import { chatLogprobs } from './logprobs.ts'
import type { ChatNotes } from './openai-chat-decode.ts'
import type { Envelope } from './openai-envelope.ts'

/** Writes the stream of an OpenAI chat completion. After the end of a choice, nothing of it is written any more. */
export const encodeChat = (envelope: Envelope, notes: ChatNotes): ((delta: Delta) => string) => {
  const begun = new Set<number>()
  const ended = new Set<number>()
  const role = (choice: number): string => {
    if (begun.has(choice)) return ''
    begun.add(choice)
    return '"role":"assistant",'
  }
  const chunk = (lane: Lane, delta: string, logprobs = 'null'): string =>
    envelope.choice(
      `{"index":${lane.choice},"delta":{${role(lane.choice)}${delta}},"logprobs":${logprobs},"finish_reason":null}`,
    )
  const end = (choice: number, reason: string): string => {
    if (ended.has(choice)) return ''
    ended.add(choice)
    return envelope.choice(
      `{"index":${choice},"delta":{},"logprobs":null,"finish_reason":${JSON.stringify(reason)}}`,
    )
  }
  const inLane = (delta: Extract<Delta, { lane: Lane }>): string => {
    if (ended.has(delta.lane.choice)) return ''
    switch (delta.kind) {
      case 'open':
        return chunk(
          delta.lane,
          delta.tool ? opening(delta.lane, delta.tool, notes) : piece(delta.lane, '', notes),
        )
      case 'text':
        return chunk(delta.lane, piece(delta.lane, delta.text, notes), logprobsJson(delta))
      case 'arguments':
        return chunk(delta.lane, piece(delta.lane, delta.text, notes))
      case 'close':
        return ''
    }
  }
  return (delta) => {
    switch (delta.kind) {
      case 'head':
        envelope.head(delta.id, delta.fields)
        return ''
      case 'open':
      case 'text':
      case 'arguments':
      case 'close':
        return inLane(delta)
      case 'finish':
      case 'cut':
        return end(delta.choice, delta.reason)
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

const logprobsJson = ({ lane, logprobs }: Extract<Delta, { kind: 'text' }>): string => {
  if (logprobs === undefined) return 'null'
  const list: Json = chatLogprobs(logprobs)
  return JSON.stringify(
    lane.part === 'refusal' ? { content: null, refusal: list } : { content: list, refusal: null },
  )
}

/** The members of a `delta` that add `text` to a lane. */
const piece = (lane: Lane, text: string, notes: ChatNotes): string => {
  const json = JSON.stringify(text)
  switch (lane.part) {
    case 'content':
      return `"content":${json}`
    case 'refusal':
      return `"refusal":${json}`
    case 'reasoning':
      return notes.reasoningKeys.size < 2
        ? `"${[...notes.reasoningKeys][0] ?? 'reasoning_content'}":${json}`
        : `"reasoning_content":${json},"reasoning":${json}`
    case 'tool':
      return callPiece(lane, json, notes)
  }
}

const callPiece = (lane: Lane, json: string, notes: ChatNotes): string => {
  switch (notes.callForms.get(lane.key)) {
    case 'legacy':
      return `"function_call":{"arguments":${json}}`
    case 'custom':
      return `"tool_calls":[{"index":${lane.index},"custom":{"input":${json}}}]`
    case undefined:
      return `"tool_calls":[{"index":${lane.index},"function":{"arguments":${json}}}]`
  }
}

const opening = (
  lane: Lane,
  tool: { readonly id: string; readonly name: string },
  notes: ChatNotes,
): string => {
  const [id, name] = [JSON.stringify(tool.id), JSON.stringify(tool.name)]
  switch (notes.callForms.get(lane.key)) {
    case 'legacy':
      return `"function_call":{"name":${name},"arguments":""}`
    case 'custom':
      return `"tool_calls":[{"index":${lane.index},"id":${id},"type":"custom","custom":{"name":${name},"input":""}}]`
    case undefined:
      return `"tool_calls":[{"index":${lane.index},"id":${id},"type":"function","function":{"name":${name},"arguments":""}}]`
  }
}
