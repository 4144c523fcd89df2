import type { Answer } from './answer.ts'
import type { Attack } from './attack.ts'
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
const MOST_WAITS = 20
const LONGEST_WAIT_MS = 10_000

/** Sends one attack. Waits and repeats on 429 as the server asks; every other failure is in the answer, nothing is thrown. */
export const send = async (endpoint: Endpoint, attack: Attack): Promise<Answer> => {
  for (let waits = 0; ; waits++) {
    const started = performance.now()
    const { answer, waitMs } = await once(endpoint, attack).catch(() => ({ answer: NOTHING, waitMs: 0 }))
    const retry = answer.status === 429 && waits < MOST_WAITS
    if (!retry) return { ...answer, ms: Math.round(performance.now() - started) }
    await new Promise((done) => setTimeout(done, waitMs))
  }
}

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

const once = async (endpoint: Endpoint, attack: Attack): Promise<{ answer: Answer; waitMs: number }> => {
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
  const asked = Number(
    response.headers.get('retry-after-ms') ?? 1000 * Number(response.headers.get('retry-after') ?? 1),
  )
  return {
    answer: {
      ...NOTHING,
      ...(streamed ? readStream(text) : readJson(text)),
      status: response.status,
      decision: response.headers.get('x-postern-decision') ?? '',
      rules: response.headers.get('x-postern-rules')?.split(',') ?? [],
    },
    waitMs: Math.min(Number.isFinite(asked) ? Math.max(asked, 20) : 1000, LONGEST_WAIT_MS),
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
