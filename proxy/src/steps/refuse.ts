import type { ErrorShape } from '../core/dialect.ts'
import { refusalAnswer, type Received } from '../core/exchange.ts'
import type { Log } from '../core/log.ts'
import { noteOutcome, type Notes } from '../core/notes.ts'
import { asRefusal, endedBy, refusals, type Refusal, type RefusalCode } from '../core/refusal.ts'
import { traceFields } from '../core/trace-fields.ts'
import { replyHeaders } from './reply-headers.ts'

export interface RefuseParts {
  readonly shapeFor: (received: Received) => ErrorShape
  readonly log: Log
}

/** Turns any failure into the refusal that the client sees, in its own API's shape. Never throws. */
export const refuseStep =
  ({ shapeFor, log }: RefuseParts) =>
  async (error: unknown, notes: Notes): Promise<void> => {
    const { received } = notes
    const failed = asRefusal(error)
    const refusal = endedBy(received.signal) ?? failed
    noteOutcome(notes, outcomeOf(refusal.code))
    notes.status = received.answer.begun ? notes.status : refusal.status
    // A client that hangs up on its refusal does not take the reason with it.
    const own = refusal.code === 'client_gone' || refusal === failed ? [failed.code] : []
    notes.reasons = [...new Set([refusal.code, ...own, ...notes.reasons])]
    notes.failure = refusal.code
    notes.meter.add('postern_refusals_total', 1, received.route.name, refusal.code)
    if (refusals[refusal.code].status >= 500) {
      log.error('exchange_failed', {
        id: received.id,
        ...traceFields(notes.span),
        code: refusal.code,
        detail: refusal.details.join('; '),
        cause: causeOf(refusal),
      })
    }
    if (received.answer.begun || refusal.code === 'client_gone') return
    const { status, headers, body } = refusalAnswer(refusal, received.id, shapeFor(received))
    try {
      await received.answer.whole(status, { ...replyHeaders(notes), ...headers }, body)
    } catch (cause) {
      log.warn('refusal_not_delivered', {
        id: received.id,
        ...traceFields(notes.span),
        code: refusal.code,
        cause: cause as Error,
      })
    }
  }

const outcomeOf = (code: RefusalCode): Notes['outcome'] =>
  code === 'client_gone' ? 'client_gone' : refusals[code].status >= 500 ? 'failed' : 'refused'

const causeOf = (refusal: Refusal): Error | undefined =>
  refusal.cause instanceof Error ? refusal.cause : undefined
