import { noBehaviour, type AnswerSample } from '../core/behaviour.ts'
import type { Log } from '../core/log.ts'

/** What the work returns, or `otherwise` when it throws. */
export type Safely = <T>(work: () => T, otherwise: T) => T

const FAILURE_LOG_MS = 60_000

/** A failure is logged, once for each minute, and ends here. */
export const safely = (log: Log): Safely => {
  let failedAt = -Infinity
  return (work, otherwise) => {
    try {
      return work()
    } catch (cause) {
      const now = performance.now()
      if (now - failedAt > FAILURE_LOG_MS) {
        failedAt = now
        log.error('behaviour_failed', { cause: cause as Error })
      }
      return otherwise
    }
  }
}

/** The sample of an answer, which no failure of it reaches. */
export const guardedSample = (sample: AnswerSample, guarded: Safely): AnswerSample => ({
  text: (piece, choice) => guarded(() => sample.text(piece, choice), undefined),
  tokens: (tokens) => guarded(() => sample.tokens(tokens), undefined),
  tool: (name, argumentNames) => guarded(() => sample.tool(name, argumentNames), undefined),
  facts: () => guarded(() => sample.facts(), noBehaviour.sample().facts()),
})
