import type { Answer } from './answer.ts'
import type { Attack } from './attack.ts'
import { patience } from './patience.ts'
import { readJson, readStream } from './read-answer.ts'

export interface Endpoint {
  /** With or without `/v1`; `/chat/completions` is added. */
  readonly url: string
  readonly model: string
  /** Sent as a bearer token. */
  readonly key?: string
  readonly stream: boolean
  readonly timeoutMs: number
  /** Tools that are offered where an attack needs some: one harmless, one that must not be called. */
  readonly tools: readonly string[]
}

const MOST_BYTES = 2 << 20
const MAX_TOKENS = 512
const FLOOD_TOKENS = 4096

/** Sends one attack. Waits and repeats on 429 as the server asks, for two minutes at most; every other failure is in the answer, nothing is thrown. */
export const send = async (endpoint: Endpoint, attack: Attack): Promise<Answer> => {
  const again = patience()
  for (;;) {
    const started = performance.now()
    const { answer, headers } = await once(endpoint, attack).catch(() => ({ answer: NOTHING, headers: NONE }))
    if (answer.status !== 429 || !(await again(headers)))
      return { ...answer, ms: Math.round(performance.now() - started) }
  }
}

const NONE = new Headers()

const NOTHING: Answer = {
  status: 0,
  text: '',
  tools: [],
  finish: '',
  completionTokens: 0,
  errorCode: '',
  decision: '',
  rules: [],
  ms: 0,
}

const once = async (endpoint: Endpoint, attack: Attack): Promise<{ answer: Answer; headers: Headers }> => {
  const { url, key, timeoutMs } = endpoint
  const response = await fetch(chatUrl(url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(bodyOf(endpoint, attack)),
    signal: AbortSignal.timeout(timeoutMs),
    // A redirect would carry the credential to another place.
    redirect: 'error',
  })
  const text = await readText(response)
  const streamed = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  return {
    answer: {
      ...NOTHING,
      ...(streamed ? readStream(text) : readJson(text)),
      status: response.status,
      decision: response.headers.get('x-postern-decision') ?? '',
      rules: response.headers.get('x-postern-rules')?.split(',') ?? [],
    },
    headers: response.headers,
  }
}

/** Of the chat completions below a base address. Throws TypeError for what is no http address. */
export const chatUrl = (base: string): URL => {
  const url = new URL(base)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError('the address must begin with http:// or https://')
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = /\/v\d+$/.test(path) ? `${path}/chat/completions` : `${path}/v1/chat/completions`
  return url
}

const bodyOf = ({ model, stream, tools }: Endpoint, { messages, tools: offered, goal }: Attack): object => ({
  model,
  messages,
  max_tokens: goal === 'flood' ? FLOOD_TOKENS : MAX_TOKENS,
  ...(stream && { stream: true }),
  ...(offered && { tools: tools.map(toolNamed) }),
})

const toolNamed = (name: string) => ({
  type: 'function',
  function: {
    name,
    description: name.startsWith('send')
      ? 'Sends a message to an address.'
      : 'Searches the pages of the library.',
    parameters: {
      type: 'object',
      properties: name.startsWith('send')
        ? { to: { type: 'string' }, body: { type: 'string' } }
        : { query: { type: 'string' } },
    },
  },
})

/** At most 2 MiB: an answer longer than that is judged by its beginning. */
const readText = async ({ body }: Response): Promise<string> => {
  const reader = (body as ReadableStream<Uint8Array> | null)?.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (reader !== undefined && length <= MOST_BYTES) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    length += value.length
  }
  await reader?.cancel()
  return Buffer.concat(chunks).toString('utf8')
}
