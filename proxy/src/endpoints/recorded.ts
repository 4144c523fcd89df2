import type { Received } from '../core/exchange.ts'
import type { Notes } from '../core/notes.ts'
import type { Steps } from '../steps/steps.ts'

export type RecordedSteps = Pick<Steps, 'open' | 'refuse' | 'record'>

/** The frame of `guard()` for the guard's own endpoints: they too are counted, traced and recorded, however they end. */
export const recorded =
  (steps: RecordedSteps, work: (received: Received, notes: Notes) => Promise<void>) =>
  async (received: Received): Promise<void> => {
    const notes = steps.open(received)
    try {
      await work(received, notes)
    } catch (error) {
      await steps.refuse(error, notes)
    } finally {
      await steps.record(notes)
    }
  }

export const sendJson = async (notes: Notes, body: unknown, status = 200): Promise<void> => {
  notes.status = status
  await notes.received.answer.whole(status, { 'content-type': 'application/json' }, JSON.stringify(body))
}
