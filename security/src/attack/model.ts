import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readBounded } from '../../../proxy/src/core/read-bounded.ts'
import type { Message } from './attack.ts'
import { obey, type Obeyed } from './obey.ts'

export interface VulnerableModel {
  /** Without `/v1`. */
  readonly url: string
  close(): Promise<void>
}

interface Body {
  readonly model?: string
  readonly messages?: readonly Message[]
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly stream?: boolean
  readonly tools?: readonly { readonly function?: { readonly name?: string } }[]
}

export const VULNERABLE = 'vulnerable-demo'
const MOST_BYTES = 8 << 20

/**
 * A model server for tests of attack tools, on loopback: OpenAI's chat completions, whole and streamed. It obeys every order
 * it can decode, deterministically. Never put it where anybody relies on its answers.
 */
export const startVulnerableModel = async (port = 0): Promise<VulnerableModel> => {
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(port, '127.0.0.1', () => done())
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (request.url === '/v1/models') {
    send(response, 200, {
      object: 'list',
      data: [{ id: VULNERABLE, object: 'model', created: 0, owned_by: 'demo' }],
    })
    return
  }
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    send(response, 404, {
      error: { message: 'no such route', type: 'not_found_error', param: null, code: null },
    })
    return
  }
  const body = await readBody(request)
  const said = obey({
    messages: body.messages ?? [],
    tools: (body.tools ?? []).flatMap((tool) => tool.function?.name ?? []),
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? 4096,
  })
  if (body.stream === true) stream(response, body, said)
  else send(response, 200, completion(body, said))
}

const finish = ({ tool }: Obeyed): string => (tool === undefined ? 'stop' : 'tool_calls')

const calls = ({ tool }: Obeyed) =>
  tool === undefined ? {} : { tool_calls: [{ id: 'call_1', type: 'function', function: tool }] }

const completion = (body: Body, said: Obeyed) => {
  const prompt_tokens = Math.ceil(JSON.stringify(body.messages ?? []).length / 4)
  const completion_tokens = Math.ceil(said.text.length / 4)
  return {
    id: 'chatcmpl-vulnerable',
    object: 'chat.completion',
    created: 0,
    model: body.model ?? VULNERABLE,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: said.tool ? null : said.text, ...calls(said) },
        logprobs: null,
        finish_reason: finish(said),
      },
    ],
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  }
}

const stream = (response: ServerResponse, body: Body, said: Obeyed): void => {
  const event = (delta: object, finish_reason: string | null = null): void => {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }]
    const base = { id: 'chatcmpl-vulnerable', object: 'chat.completion.chunk', created: 0 }
    response.write(`data: ${JSON.stringify({ ...base, model: body.model ?? VULNERABLE, choices })}\n\n`)
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  event({ role: 'assistant', content: '' })
  // Pieces that cut words in two, as tokens do.
  for (const piece of said.text.match(/[^]{1,7}/g) ?? []) event({ content: piece })
  if (said.tool) event({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: said.tool }] })
  event({}, finish(said))
  response.end('data: [DONE]\n\n')
}

const send = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const readBody = async (request: IncomingMessage): Promise<Body> => {
  const bytes = await readBounded(request, MOST_BYTES)
  if (bytes === undefined) throw new RangeError('the request is larger than 8 MiB')
  return JSON.parse(bytes.toString()) as Body
}
