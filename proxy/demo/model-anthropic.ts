import type { ModelRequestBody, ModelSays } from './script.ts'

const usageOf = (body: ModelRequestBody, says: ModelSays) => ({
  input_tokens: Math.ceil(JSON.stringify(body.messages ?? []).length / 4),
  output_tokens: Math.ceil(says.pieces.join('').length / 4),
})

const blocks = (says: ModelSays) => [
  ...(says.reasoning === undefined
    ? []
    : [{ type: 'thinking', thinking: says.reasoning, signature: 'c2lnbmVk' }]),
  ...(says.pieces.length > 0 ? [{ type: 'text', text: says.pieces.join('') }] : []),
  ...(says.tools ?? []).map((tool, i) => ({
    type: 'tool_use',
    id: `toolu_${i}`,
    name: tool.name,
    input: JSON.parse(tool.arguments) as unknown,
  })),
]

export const anthropicMessage = (body: ModelRequestBody, says: ModelSays) => ({
  id: 'msg_demo',
  type: 'message',
  role: 'assistant',
  model: body.model,
  content: blocks(says),
  stop_reason: says.tools ? 'tool_use' : 'end_turn',
  stop_sequence: null,
  usage: usageOf(body, says),
})

const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`

export function* anthropicEvents(body: ModelRequestBody, says: ModelSays): Generator<string> {
  const usage = usageOf(body, says)
  const message = {
    ...anthropicMessage(body, says),
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  }
  yield event('message_start', { message })
  yield event('ping', {})
  let index = 0
  for (const block of blocks(says)) {
    yield event('content_block_start', { index, content_block: empty(block) })
    for (const delta of deltas(block, says)) yield event('content_block_delta', { index, delta })
    yield event('content_block_stop', { index })
    index += 1
  }
  const stop_reason = says.tools ? 'tool_use' : 'end_turn'
  yield event('message_delta', {
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: usage.output_tokens },
  })
  yield event('message_stop', {})
}

type Block = ReturnType<typeof blocks>[number]

const empty = (block: Block): object => {
  if ('text' in block) return { type: 'text', text: '' }
  if ('thinking' in block) return { type: 'thinking', thinking: '', signature: '' }
  return { ...block, input: {} }
}

const deltas = (block: Block, says: ModelSays): readonly object[] => {
  if ('text' in block) return says.pieces.map((text) => ({ type: 'text_delta', text }))
  if ('thinking' in block) {
    return [
      { type: 'thinking_delta', thinking: block.thinking },
      { type: 'signature_delta', signature: block.signature },
    ]
  }
  const text = JSON.stringify(block.input)
  const half = text.length >> 1
  return [text.slice(0, half), text.slice(half)].map((partial_json) => ({
    type: 'input_json_delta',
    partial_json,
  }))
}
