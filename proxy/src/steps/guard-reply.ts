import type { AnswerSample } from '../core/behaviour.ts'
import type { Dialect } from '../core/dialect.ts'
import { isObject } from '../core/json.ts'
import type { Notes } from '../core/notes.ts'
import { Refusal } from '../core/refusal.ts'
import { readJson } from '../core/strict-json.ts'
import { actionFor } from '../core/policy.ts'
import { cleanWhole } from '../stream/redact.ts'
import { factsOf } from './decide.ts'
import { readWhole } from './forward.ts'
import { guardStream, type StreamParts } from './guard-stream.ts'
import { guardWhole, type Guarded, type WholeParts } from './guard-whole.ts'

export interface ReplyParts extends WholeParts, StreamParts {
  /** Looks at an answer as it passes. Never throws. */
  readonly sample?: (() => AnswerSample) | undefined
}

/** The model's answer through the same inspection and policy as the question, whole or streamed. */
export const guardReplyStep = (parts: ReplyParts) => {
  const whole = guardWhole(parts)
  const stream = guardStream(parts)
  return async (guarded: Guarded, notes: Notes): Promise<void> => {
    const { status } = guarded.reply
    if (status >= 400) throw await modelRefusal(parts, guarded, notes)
    if (status !== 200) throw new Refusal('model_answer_invalid', { details: [`status ${status}`] })
    const { prompt, changes, dialect } = guarded.admitted
    notes.offered = prompt.tools.filter((tool) => !changes.removeTools.includes(tool))
    // Vectors are no answer that could be long, unsure or in a language.
    if (dialect.operation !== 'embeddings') notes.sample = parts.sample?.()
    return prompt.stream ? stream(guarded, notes) : whole(guarded, notes)
  }
}

const PASSED_ON = new Set([400, 404, 409, 413, 422, 429, 501])
const MOST_MESSAGE = 500

/** A refusal of the model server is passed on with its message, which is a text like any other: it may quote the prompt. */
const modelRefusal = async (
  parts: WholeParts,
  { reply, admitted, decide }: Guarded,
  notes: Notes,
): Promise<Refusal> => {
  const { status } = reply
  if (status === 401 || status === 403) {
    return new Refusal('model_unavailable', {
      details: ['the model server does not accept the credential of the guard'],
    })
  }
  if (!PASSED_ON.has(status))
    return new Refusal('model_unavailable', { details: [`the model server answered ${status}`] })
  const message = readMessage(await readWhole(reply), parts, admitted.dialect)
  const retryAfter = reply.headers['retry-after']
  const headers = retryAfter && /^\d{1,6}$/.test(retryAfter) ? { 'retry-after': retryAfter } : {}
  if (message === undefined) return new Refusal('model_refused', { status, headers })
  const text = { path: ['error', 'message'], role: 'assistant', channel: 'message', value: message } as const
  const scanned = await parts.inspect([text], 'response', notes)
  const answer = await decide({ stage: 'response', findings: factsOf(scanned) })
  const cleaned = cleanWhole(message, scanned[0]?.findings ?? [], ({ rule, category }) =>
    answer.allow ? actionFor(answer.actions, rule, category) : 'block',
  )
  const shown = answer.allow && !cleaned.blocked ? [cleaned.text.slice(0, MOST_MESSAGE)] : []
  return new Refusal('model_refused', { status, headers, details: shown })
}

const readMessage = (bytes: Uint8Array, { json }: WholeParts, dialect: Dialect): string | undefined => {
  try {
    const body = readJson(bytes, json)
    return isObject(body) ? dialect.readError(body) : undefined
  } catch {
    return undefined
  }
}
