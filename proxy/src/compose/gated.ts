import type { Received } from '../core/exchange.ts'
import type { Gate } from '../respond/gate.ts'
import type { Steps } from '../steps/steps.ts'

/** The same steps, at which callers that are revoked, and all when the guard is quarantined, are turned away. */
export const gatedSteps = (steps: Steps, gate: Gate | undefined): Steps =>
  gate === undefined
    ? steps
    : {
        ...steps,
        identify: async (received, notes) => {
          const told = (reason: string): void => {
            notes.reasons = [...notes.reasons, reason]
          }
          gate.check(told)
          const caller = await steps.identify(received, notes)
          gate.identified(received.id, caller, told)
          return caller
        },
      }

/** The same work, which an order can end. */
export const gated =
  (work: (received: Received) => Promise<void>, gate: Gate | undefined) =>
  async (received: Received): Promise<void> => {
    if (gate === undefined) {
      await work(received)
      return
    }
    const entered = gate.enter(received)
    try {
      await work(entered)
    } finally {
      gate.leave(received.id)
    }
  }
