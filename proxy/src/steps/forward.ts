import type { AuditLog } from '../core/audit.ts'
import type { Caller } from '../core/caller.ts'
import type { Notes } from '../core/notes.ts'
import { Refusal } from '../core/refusal.ts'
import type { ModelReply, Models } from '../core/upstream.ts'
import type { Admitted } from './admit.ts'

export interface ForwardParts {
  readonly models: Models
  readonly audit: AuditLog
}

/** Writes down that the model will be called, then calls it. The body is built from what was parsed and allowed. */
export const forwardStep =
  ({ models, audit }: ForwardParts) =>
  async (admitted: Admitted, caller: Caller, notes: Notes): Promise<ModelReply> => {
    const { dialect, prompt, changes } = admitted
    const { received, span } = notes
    const model = changes.model
    notes.listed = models.listed(model) ?? ''
    await audit.begin({ id: received.id, route: received.route.name, model, caller, trace: span.traceId })
    notes.timings['guard'] = performance.now() - received.startedAt
    noteGuardWork(notes)
    const call = span.modelCall({ operation: dialect.operation, model, stream: prompt.stream })
    notes.modelSpan = call
    notes.operation = dialect.operation
    const most = Math.min(changes.maxTokens ?? Infinity, prompt.params.max_tokens ?? Infinity)
    if (most !== Infinity) call.set({ requestMaxTokens: most })
    const reply = await models.call(
      {
        model,
        path: prompt.upstreamPath,
        body: (name) => JSON.stringify(dialect.write(prompt, { ...changes, model: name })),
        stream: prompt.stream,
        headers: {
          ...received.headers,
          traceparent: call.traceparent,
          ...(span.tracestate === undefined ? {} : { tracestate: span.tracestate }),
        },
      },
      received.signal,
    )
    notes.upstream = reply.upstream
    notes.version = reply.version
    return reply
  }

const noteGuardWork = ({ span, received, timings, findings, reasons }: Notes): void => {
  if (span.recorded === undefined) return
  const to = received.startedAt + (timings['guard'] ?? 0)
  const facts = { findings: findings.length, reasons }
  span.work({ name: 'guard request', from: received.startedAt, to, facts })
}

/** All bytes of a whole answer; the upstream bounds them. */
export const readWhole = async (reply: ModelReply): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of reply.body) chunks.push(chunk)
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

/** Throws Refusal `model_answer_invalid` when the model server sent another kind of content than it was asked for. */
export const expectType = (reply: ModelReply, type: string): void => {
  const got = (reply.headers['content-type'] ?? 'none').split(';', 1)[0]?.trim().toLowerCase()
  if (got !== type) throw new Refusal('model_answer_invalid', { details: [`content type is not ${type}`] })
}
