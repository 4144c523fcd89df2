import { setTimeout as wait } from 'node:timers/promises'
import { isObject, type Json } from '../core/json.ts'
import { declines } from './declines.ts'
import type { ProbeAnswer } from './probes.ts'

export interface ProbeSenderOptions {
  readonly endpoint: URL
  readonly model: string
  /** Bearer credential; none when absent. */
  readonly key: string | undefined
}

const TIMEOUT_MS = 120_000
const OPENING = 400

/** Refusals that are about the content or the caller; every other error answer says nothing about how a prompt is treated. */
const REFUSED: ReadonlySet<unknown> = new Set(['content_blocked', 'policy_denied'])

const MOST_TRIES = 10
const LONGEST_WAIT_S = 60

/** Sends one prompt as an OpenAI chat request, again where a limit says when. Rejects for an answer that is neither one nor a refusal. */
export const probeSender =
  (options: ProbeSenderOptions) =>
  async (prompt: string): Promise<ProbeAnswer> => {
    const response = await sent(options, prompt)
    const body = (await response.json()) as Json
    if (response.ok) return answerIn(body)
    const error = at(body, 'error')
    if (REFUSED.has(at(error, 'code'))) return { refused: true, characters: 0 }
    throw new Error(`status ${response.status}`)
  }

const sent = async ({ endpoint, model, key }: ProbeSenderOptions, prompt: string): Promise<Response> => {
  for (let tries = 1; ; tries++) {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ model, temperature: 0, messages: [{ role: 'user', content: prompt }] }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status !== 429 || tries === MOST_TRIES) return response
    await response.body?.cancel()
    const seconds = Number(response.headers.get('retry-after') ?? 1)
    await wait(1000 * Math.min(LONGEST_WAIT_S, Number.isFinite(seconds) ? Math.max(0.1, seconds) : 1))
  }
}

const answerIn = (body: Json): ProbeAnswer => {
  const choices = at(body, 'choices')
  const choice = Array.isArray(choices) ? (choices as readonly Json[])[0] : undefined
  const message = at(choice, 'message')
  const [content, refusal] = [at(message, 'content'), at(message, 'refusal')]
  const text = typeof content === 'string' ? content : ''
  const refused =
    at(choice, 'finish_reason') === 'content_filter' ||
    (typeof refusal === 'string' && refusal !== '') ||
    declines(text.slice(0, OPENING))
  return { refused, characters: text.length }
}

const at = (value: Json | undefined, name: string): Json | undefined =>
  isObject(value) ? value[name] : undefined
