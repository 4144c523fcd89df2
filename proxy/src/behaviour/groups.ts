import type { ExchangeFacts, GroupReport } from '../core/behaviour.ts'
import type { Meter } from '../core/metrics.ts'
import { disparities, type Dimension, type Disparity } from './disparity.ts'

export interface GroupsOptions {
  readonly groups: readonly Dimension[]
  /** How long outcomes of groups count: once to twice this. */
  readonly groupWindowMs: number
}

export interface Groups {
  seen(facts: ExchangeFacts): void
  /** Sets the gauges. */
  tick(): void
  report(): readonly GroupReport[]
  /** Begins anew when other groups were declared. */
  update(options: GroupsOptions): void
}

/** The declared groups and the gauges of their disparity. What can no longer be judged is no longer adverse. */
export const watchedGroups = (given: GroupsOptions, meter: Meter): Groups => {
  let options = given
  let tallies = disparities(options.groups, options.groupWindowMs)
  let judged = new Map<string, Disparity>()
  return {
    seen: (facts) => tallies.seen(facts),
    tick: () => {
      const now = new Map(tallies.report().map((one) => [keyOf(one), one]))
      for (const [key, one] of judged) if (!now.has(key)) set(meter, { ...one, adverse: false })
      for (const one of now.values()) set(meter, one)
      judged = now
    },
    report: () =>
      [...judged.values()].map(({ dimension, group, outcome, ratio, test, adverse }) => ({
        ...{ dimension, group, outcome, ratio, adverse },
        pValue: test.pValue,
      })),
    update: (next) => {
      if (textOf(next) === textOf(options)) return
      options = next
      tallies = disparities(next.groups, next.groupWindowMs)
    },
  }
}

const textOf = ({ groups, groupWindowMs }: GroupsOptions): string => JSON.stringify([groups, groupWindowMs])

const keyOf = ({ dimension, group, outcome }: Disparity): string => `${dimension}\n${group}\n${outcome}`

const set = (meter: Meter, { dimension, group, outcome, ratio, test, adverse }: Disparity): void => {
  meter.set('postern_behaviour_disparity_ratio', ratio, dimension, group, outcome)
  meter.set('postern_behaviour_disparity_p_value', test.pValue, dimension, group, outcome)
  meter.set('postern_behaviour_disparity_adverse', adverse ? 1 : 0, dimension, group, outcome)
}
