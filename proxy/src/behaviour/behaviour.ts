import type { Behaviour, ExchangeFacts, Flag } from '../core/behaviour.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { anomalies, type AnomalyOptions, type Kind } from './anomalies.ts'
import { answerSample } from './answer-sample.ts'
import { snapshotOf, type Baseline } from './baseline.ts'
import { disparities, type Dimension } from './disparity.ts'
import { declared } from './names.ts'
import { profiles, type ProfilesOptions } from './profiles.ts'
import { toolUse } from './tool-use.ts'

export interface BehaviourOptions extends AnomalyOptions {
  /** Names that may be labels of metrics; every other name counts as `other`. */
  readonly models: readonly string[]
  readonly tenants: readonly string[]
  readonly roles: readonly string[]
  readonly tools: readonly string[]
  /** Mean entropy of an answer, in bits a token, above which it is flagged. */
  readonly entropyThresholdBits: number
  readonly baseline: Baseline | undefined
  readonly window: ProfilesOptions['window']
  readonly groups: readonly Dimension[]
  /** How long outcomes of groups count: once to twice this. */
  readonly groupWindowMs: number
  /** 0 to below 1; Math.random when absent. */
  readonly random?: () => number
}

export interface Instruments {
  readonly meter: Meter
  readonly log: Log
  /** The wall clock, for the time in snapshots. */
  readonly now: () => Date
}

/** See core/behaviour.ts. A failure of our own is logged, once for each minute, and never reaches the exchange. */
export const behaviour = (options: BehaviourOptions, instruments: Instruments): Behaviour => {
  const { meter, log, now } = instruments
  const { baseline, random = Math.random } = options
  const drift = profiles({ ...options, random }, instruments)
  const tools = toolUse({ maxCallers: options.maxKeys, roles: baseline?.roles ?? [] })
  const odd = anomalies(options)
  const groups = disparities(options.groups, options.groupWindowMs)
  const count = counters(options, meter)
  meter.set('postern_behaviour_baseline_timestamp_seconds', baseline ? Date.parse(baseline.made) / 1000 : 0)
  const watch = (facts: ExchangeFacts): readonly Flag[] => {
    drift.seen(facts)
    groups.seen(facts)
    const flags = [...odd.seen(facts), ...tools.seen(facts)]
    if ((facts.answer?.entropy?.mean ?? 0) > options.entropyThresholdBits) flags.push('entropy_high')
    count(facts, flags)
    return flags
  }
  let failedAt = -Infinity
  let closed = false
  return {
    seen: (facts) => {
      if (closed) return []
      try {
        return watch(facts)
      } catch (cause) {
        if (facts.at - failedAt > FAILURE_LOG_MS) log.error('behaviour_failed', { cause: cause as Error })
        failedAt = facts.at
        return []
      }
    },
    sample: answerSample,
    snapshot: () =>
      snapshotOf({ made: now().toISOString(), profiles: drift.snapshot(), roles: tools.snapshot() }),
    tick: (at) => {
      if (closed) return
      drift.tick(at)
      for (const { dimension, group, outcome, ratio, test, adverse } of groups.report()) {
        meter.set('postern_behaviour_disparity_ratio', ratio, dimension, group, outcome)
        meter.set('postern_behaviour_disparity_p_value', test.pValue, dimension, group, outcome)
        meter.set('postern_behaviour_disparity_adverse', adverse ? 1 : 0, dimension, group, outcome)
      }
      for (const [kind, { size, forgotten }] of Object.entries(odd.tracked()) as [Kind, Tracked][]) {
        meter.set('postern_behaviour_tracked', size, kind)
        meter.set('postern_behaviour_forgotten', forgotten, kind)
      }
    },
    close: () => {
      closed = true
    },
  }
}

const FAILURE_LOG_MS = 60_000

type Tracked = Readonly<{ size: number; forgotten: number }>

const counters = (options: BehaviourOptions, meter: Meter) => {
  const model = declared(options.models)
  const role = declared(options.roles)
  const tool = declared(options.tools)
  return ({ answer, offered, roles, ...facts }: ExchangeFacts, flags: readonly Flag[]): void => {
    for (const flag of flags) meter.add('postern_behaviour_flags_total', 1, flag)
    if (answer === undefined) return
    const of = model(facts.model)
    meter.observe('postern_behaviour_answer_characters', answer.characters, of)
    meter.add(
      'postern_behaviour_answers_total',
      1,
      of,
      answer.language,
      answer.declined ? 'declined' : 'given',
    )
    if (answer.entropy !== undefined) {
      meter.observe('postern_behaviour_entropy_bits', answer.entropy.mean, of)
      meter.observe('postern_behaviour_entropy_max_bits', answer.entropy.max, of)
    }
    for (const { name } of answer.called) {
      const known = offered.includes(name) ? 'yes' : 'no'
      meter.add('postern_behaviour_tool_calls_total', 1, role(roles[0] ?? ''), tool(name), known)
    }
  }
}
