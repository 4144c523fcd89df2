import type { Received } from './core/exchange.ts'
import { factsOf } from './steps/decide.ts'
import type { Steps } from './steps/steps.ts'

/** The pipeline: one request is one exchange, and these lines are all that happens to it. */
export const guard =
  (steps: Steps) =>
  async (received: Received): Promise<void> => {
    const notes = steps.open(received)
    try {
      const caller = await steps.identify(received, notes)
      const asked = await steps.readPrompt(received, notes)
      await steps.limit(caller, asked.prompt, notes)
      const scanned = await steps.inspect(asked.prompt.texts, 'request', notes)
      const decide = steps.decide(caller, asked.prompt, notes)
      const decision = await decide({ stage: 'request', findings: factsOf(scanned) })
      const admitted = steps.admit({ asked, scanned, decision }, notes)
      const reply = await steps.forward(admitted, caller, notes)
      await steps.guardReply({ reply, admitted, decide }, notes)
    } catch (error) {
      await steps.refuse(error, notes)
    } finally {
      await steps.record(notes)
    }
  }
