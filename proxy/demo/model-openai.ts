import type { ModelRequestBody, ModelSays } from './script.ts'

const CREATED = 1_700_000_000

const countTokens = (text: string): number => Math.ceil(text.length / 4)

const usageOf = (body: ModelRequestBody, says: ModelSays) => {
  const prompt_tokens = countTokens(JSON.stringify(body.messages ?? body.prompt ?? body.input ?? ''))
  const completion_tokens = countTokens(says.pieces.join('')) * (body.n ?? 1)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

const toolCalls = (says: ModelSays) =>
  says.tools?.map((tool, index) => ({ index, id: `call_${index}`, type: 'function', function: tool }))

const logprob = (token: string) => ({
  token,
  logprob: -0.1,
  bytes: [...Buffer.from(token)],
  top_logprobs: [{ token, logprob: -0.1, bytes: [...Buffer.from(token)] }],
})

export const chatCompletion = (body: ModelRequestBody, says: ModelSays) => ({
  id: 'chatcmpl-demo',
  object: 'chat.completion',
  created: CREATED,
  model: body.model,
  choices: Array.from({ length: body.n ?? 1 }, (_, index) => ({
    index,
    message: {
      role: 'assistant',
      content: says.tools ? null : says.pieces.join(''),
      ...(says.reasoning === undefined ? {} : { reasoning_content: says.reasoning }),
      ...(says.tools ? { tool_calls: toolCalls(says)?.map((call) => ({ ...call, index: undefined })) } : {}),
    },
    logprobs: body.logprobs ? { content: says.pieces.map(logprob), refusal: null } : null,
    finish_reason: says.tools ? 'tool_calls' : 'stop',
  })),
  usage: usageOf(body, says),
})

export function* chatEvents(body: ModelRequestBody, says: ModelSays): Generator<string> {
  const base = { id: 'chatcmpl-demo', object: 'chat.completion.chunk', created: CREATED, model: body.model }
  const event = (index: number, delta: unknown, more: object = {}): string =>
    `data: ${JSON.stringify({ ...base, choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }] })}\n\n`
  const all = Array.from({ length: body.n ?? 1 }, (_, index) => index)
  for (const index of all) yield event(index, { role: 'assistant', content: '' })
  if (says.reasoning !== undefined) yield event(0, { reasoning_content: says.reasoning })
  for (const piece of says.pieces) {
    for (const index of all) {
      yield event(
        index,
        { content: piece },
        body.logprobs ? { logprobs: { content: [logprob(piece)], refusal: null } } : {},
      )
    }
  }
  for (const call of toolCalls(says) ?? []) {
    const { arguments: text, name } = call.function
    const half = text.length >> 1
    yield event(0, { tool_calls: [{ ...call, function: { name, arguments: '' } }] })
    yield event(0, { tool_calls: [{ index: call.index, function: { arguments: text.slice(0, half) } }] })
    yield event(0, { tool_calls: [{ index: call.index, function: { arguments: text.slice(half) } }] })
  }
  for (const index of all) yield event(index, {}, { finish_reason: says.tools ? 'tool_calls' : 'stop' })
  if (body.stream_options?.include_usage) {
    yield `data: ${JSON.stringify({ ...base, choices: [], usage: usageOf(body, says) })}\n\n`
  }
  yield 'data: [DONE]\n\n'
}

export const completion = (body: ModelRequestBody, says: ModelSays) => ({
  id: 'cmpl-demo',
  object: 'text_completion',
  created: CREATED,
  model: body.model,
  choices: [{ index: 0, text: says.pieces.join(''), logprobs: null, finish_reason: 'stop' }],
  usage: usageOf(body, says),
})

export const embeddings = (body: ModelRequestBody) => {
  const inputs = typeof body.input === 'string' ? [body.input] : (body.input ?? [])
  const prompt_tokens = countTokens(inputs.join(''))
  return {
    object: 'list',
    model: body.model,
    data: inputs.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: [text.length / 1000, 0.5, -0.5],
    })),
    usage: { prompt_tokens, total_tokens: prompt_tokens },
  }
}
