import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { anthropicEvents, anthropicMessage } from './model-anthropic.ts'
import { chatCompletion, chatEvents, completion, embeddings } from './model-openai.ts'
import { demoScript, type ModelRequestBody, type ModelSays, type Script } from './script.ts'

export interface DemoModel {
  readonly url: string
  /** Bodies and headers of the requests that arrived, oldest first. */
  readonly received: readonly {
    readonly path: string
    readonly headers: IncomingMessage['headers']
    readonly body: ModelRequestBody
  }[]
  close(): Promise<void>
}

export interface DemoModelOptions {
  readonly script?: Script
  readonly port?: number
  /** Loopback when absent. */
  readonly host?: string
  /** Milliseconds between the pieces of a stream. */
  readonly paceMs?: number
}

export const MODELS = ['demo-small', 'demo-large'] as const

/** A stand-in for a model server: it speaks the documented OpenAI and Anthropic wire formats on loopback, and understands nothing. */
export const startModel = async (options: DemoModelOptions = {}): Promise<DemoModel> => {
  const received: { path: string; headers: IncomingMessage['headers']; body: ModelRequestBody }[] = []
  const server = createServer((request, response) => {
    void serve({ request, response, options, received }).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly options: DemoModelOptions
  readonly received: { path: string; headers: IncomingMessage['headers']; body: ModelRequestBody }[]
}

const serve = async ({ request, response, options, received }: Call): Promise<void> => {
  const path = request.url ?? '/'
  if (path === '/v1/models') {
    sendJson(response, {
      object: 'list',
      data: MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'demo' })),
    })
    return
  }
  const body = await readBody(request)
  received.push({ path, headers: request.headers, body })
  const says = (options.script ?? demoScript)(body)
  const whole = WHOLE[path]
  if (!whole) {
    sendJson(
      response,
      { error: { message: 'no such route', type: 'not_found_error', param: null, code: null } },
      404,
    )
    return
  }
  const events = body.stream ? EVENTS[path] : undefined
  if (!events) {
    sendJson(response, whole(body, says))
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events(body, says)) {
    response.write(event)
    if (options.paceMs) await new Promise((resolve) => setTimeout(resolve, options.paceMs))
  }
  response.end()
}

const WHOLE: Record<string, (body: ModelRequestBody, says: ModelSays) => unknown> = {
  '/v1/chat/completions': chatCompletion,
  '/v1/completions': completion,
  '/v1/embeddings': embeddings,
  '/v1/messages': anthropicMessage,
}

const EVENTS: Record<string, (body: ModelRequestBody, says: ModelSays) => Iterable<string>> = {
  '/v1/chat/completions': chatEvents,
  '/v1/messages': anthropicEvents,
}

const sendJson = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const readBody = async (request: IncomingMessage): Promise<ModelRequestBody> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as ModelRequestBody
}
