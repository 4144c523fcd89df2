import type { ErrorShape } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Refusal } from '../core/refusal.ts'
import { refusals } from '../core/refusal.ts'
import { row } from './rows.ts'

const message = ({ message, details }: Refusal): string =>
  details.length === 0 ? message : `${message} (${details.join('; ')})`

/** `error.code` is what the OpenAI clients tell programs; for blocked content it is the one that OpenAI and Azure use. */
export const openaiError: ErrorShape = (refusal) => ({
  error: {
    message: message(refusal),
    type: refusals[refusal.code].type,
    param: null,
    code: refusal.code === 'content_blocked' ? 'content_filter' : refusal.code,
  },
})

export const anthropicError: ErrorShape = (refusal, id) => ({
  type: 'error',
  error: {
    type: refusal.code === 'body_too_large' ? 'request_too_large' : refusals[refusal.code].type,
    message: message(refusal),
  },
  request_id: id,
})

/** For the simple routes and the guard's own. */
export const plainError: ErrorShape = (refusal, id) => ({
  error: { code: refusal.code, message: refusal.message, details: refusal.details, request_id: id },
})

/** Where `errorMessage` looks. */
export const errorRows = ['/error/message', '/error', '/detail', '/message'].flatMap(
  row('scanned', {
    role: 'assistant',
    channel: 'message',
    note: 'the first of them that there is; what is left after policy is shown, cut to a few hundred characters',
  }),
)

/**
 * The message of a model server's error answer: OpenAI's and Anthropic's `error.message`, vLLM's older `message`,
 * `error` of TGI and Ollama, `detail` of FastAPI. Undefined for any other shape.
 */
export const errorMessage = (body: JsonObject): string | undefined => {
  const { error, detail, message: plain } = body
  const found = isObject(error) ? error['message'] : (error ?? detail ?? plain)
  return typeof found === 'string' ? found : undefined
}
