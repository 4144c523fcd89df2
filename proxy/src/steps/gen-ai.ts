import type { Notes } from '../core/notes.ts'
import type { RefusalCode } from '../core/refusal.ts'

/** A refusal of ours is no error of the model call that it follows. */
export const modelFailure = (failure: RefusalCode | undefined): RefusalCode | undefined =>
  failure !== undefined && OF_THE_MODEL.has(failure) ? failure : undefined

const OF_THE_MODEL: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'client_gone',
  'model_answer_invalid',
  'model_refused',
  'model_timeout',
  'model_unavailable',
])

/** The metrics of the GenAI conventions, for exchanges that called a model. The model is the configured name, never the caller's word. */
export const countGenAi = (notes: Notes): void => {
  const { meter, timings, operation, listed, failure, usage } = notes
  if (operation === '') return
  const { guard = 0, total = 0, model = total - guard, first_chunk: chunk, first_text_out: text } = timings
  const of = [operation, listed] as const
  meter.observe('gen_ai_client_operation_duration_seconds', model / 1000, ...of, modelFailure(failure) ?? '')
  meter.observe('gen_ai_server_request_duration_seconds', total / 1000, ...of, failure ?? '')
  if (usage !== undefined) {
    meter.observe('gen_ai_client_token_usage', usage.input, ...of, 'input')
    if (operation !== 'embeddings') meter.observe('gen_ai_client_token_usage', usage.output, ...of, 'output')
  }
  if (chunk !== undefined)
    meter.observe('gen_ai_client_operation_time_to_first_chunk_seconds', (chunk - guard) / 1000, ...of)
  if (text !== undefined) meter.observe('gen_ai_server_time_to_first_token_seconds', text / 1000, ...of)
}
