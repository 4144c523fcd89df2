import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { PolicyAnswer, PolicyEngine, PolicyInput } from '../core/policy.ts'

export interface ShadowParts {
  readonly meter: Meter
  readonly log: Log
}

/** How the other policy would have answered. */
export type Difference =
  'none' | 'would_allow' | 'would_deny' | 'other_actions' | 'other_obligations' | 'failed'

/** Comparisons under way at most; beyond them decisions are not compared. */
const MAX_RUNNING = 256
const LOG_EVERY_MS = 1000

/**
 * Asks `shadow` what `active` was asked, after it has answered. Only `active` decides: whatever the other one answers, fails to answer or
 * takes long for changes nothing but a counter and a line of the log, one a second at most. Closing closes both.
 */
export const shadowed = (
  active: PolicyEngine,
  shadow: PolicyEngine,
  { meter, log }: ShadowParts,
): PolicyEngine => {
  let running = 0
  let toldAt = -Infinity
  const tell = (input: PolicyInput, difference: Difference, would: PolicyAnswer | undefined): void => {
    meter.add('postern_policy_shadow_total', 1, input.stage, difference)
    if (difference === 'none' || performance.now() - toldAt < LOG_EVERY_MS) return
    toldAt = performance.now()
    log.info('policy_shadow_differs', {
      stage: input.stage,
      route: input.request.route,
      difference,
      reasons: would?.reasons.join(' ') ?? '',
      revision: shadow.revision(),
    })
  }
  const compare = async (input: PolicyInput, answer: PolicyAnswer): Promise<void> => {
    running += 1
    try {
      const would = await shadow.decide(input)
      tell(input, differenceOf(answer, would), would)
    } catch {
      tell(input, 'failed', undefined)
    } finally {
      running -= 1
    }
  }
  return {
    name: active.name,
    revision: () => active.revision(),
    unready: () => active.unready(),
    limits: (input) => active.limits(input),
    decide: async (input) => {
      const answer = await active.decide(input)
      if (running < MAX_RUNNING) void compare(input, answer)
      return answer
    },
    close: async () => {
      await Promise.all([active.close(), shadow.close()])
    },
  }
}

const differenceOf = (answer: PolicyAnswer, would: PolicyAnswer): Difference => {
  if (!answer.allow) return would.allow ? 'would_allow' : 'none'
  if (!would.allow) return 'would_deny'
  if (!isDeepStrictEqual(answer.actions, would.actions)) return 'other_actions'
  return isDeepStrictEqual(answer.obligations, would.obligations) ? 'none' : 'other_obligations'
}
