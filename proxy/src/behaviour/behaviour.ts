import type { AnswerSample, Behaviour, ExchangeFacts } from '../core/behaviour.ts'
import type { Flag } from '../core/flag.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { anomalies, type Anomalies, type AnomalyOptions } from './anomalies.ts'
import { answerSample } from './answer-sample.ts'
import { snapshotOf, type Baseline } from './baseline.ts'
import { watchedGroups, type GroupsOptions } from './groups.ts'
import { declared } from './names.ts'
import { profiles, type ProfilesOptions } from './profiles.ts'
import { guardedSample, safely } from './safely.ts'
import { toolUse } from './tool-use.ts'

export interface BehaviourOptions extends AnomalyOptions, GroupsOptions {
  /** Names that may be labels of metrics; every other name counts as `other`. */
  readonly models: readonly string[]
  readonly tenants: readonly string[]
  readonly roles: readonly string[]
  readonly tools: readonly string[]
  /** Mean entropy of an answer, in bits a token, above which it is flagged. */
  readonly entropyThresholdBits: number
  readonly baseline: Baseline | undefined
  readonly window: ProfilesOptions['window']
  /** 0 to below 1; Math.random when absent. */
  readonly random?: () => number
}

export interface Instruments {
  readonly meter: Meter
  readonly log: Log
  /** The wall clock, for the time in snapshots. */
  readonly now: () => Date
}

export interface WatchedBehaviour extends Behaviour {
  /** Other options from now on. What was learned stays; the bounds and intervals of the pasts do too. */
  update(options: BehaviourOptions): void
}

/** See core/behaviour.ts. A failure of our own is logged, once for each minute, and never reaches the exchange. */
export const behaviour = (given: BehaviourOptions, instruments: Instruments): WatchedBehaviour => {
  const { meter, log, now } = instruments
  let options = given
  const drift = profiles({ ...options, random: options.random ?? Math.random }, instruments)
  const tools = toolUse({ maxCallers: options.maxKeys, roles: options.baseline?.roles ?? [] })
  const odd = anomalies(options)
  const groups = watchedGroups(options, meter)
  const flagged: Partial<Record<Flag, number>> = {}
  let count = counters(options, meter)
  let closed = false
  const guarded = safely(log)
  const watch = (facts: ExchangeFacts): readonly Flag[] => {
    drift.seen(facts)
    groups.seen(facts)
    const flags = [...odd.seen(facts), ...tools.seen(facts)]
    if ((facts.answer?.entropy?.mean ?? 0) > options.entropyThresholdBits) flags.push('entropy_high')
    for (const flag of flags) flagged[flag] = (flagged[flag] ?? 0) + 1
    count(facts, flags)
    return flags
  }
  const setBaseline = (): void => {
    const at = options.baseline ? Date.parse(options.baseline.made) / 1000 : 0
    meter.set('postern_behaviour_baseline_timestamp_seconds', at)
  }
  setBaseline()
  return {
    seen: (facts) => (closed ? NONE : guarded(() => watch(facts), NONE)),
    sample: (): AnswerSample => guardedSample(answerSample(), guarded),
    snapshot: () =>
      snapshotOf({ made: now().toISOString(), profiles: drift.snapshot(), roles: tools.snapshot() }),
    tick: (at) => {
      if (closed) return
      guarded(() => {
        drift.tick(at)
        groups.tick()
        setTracked(odd.tracked(), meter)
      }, undefined)
    },
    report: () => ({
      baseline: options.baseline?.made,
      models: drift.report(),
      groups: groups.report(),
      flags: { ...flagged },
    }),
    update: (next) => {
      const fresh = next.baseline?.made !== options.baseline?.made
      options = next
      count = counters(next, meter)
      drift.update({ ...next, random: next.random ?? Math.random })
      groups.update(next)
      if (fresh) tools.learn(next.baseline?.roles ?? [])
      setBaseline()
    },
    close: () => {
      closed = true
    },
  }
}

const NONE: readonly Flag[] = []

const setTracked = (tracked: ReturnType<Anomalies['tracked']>, meter: Meter): void => {
  for (const kind of ['caller', 'address', 'role'] as const) {
    meter.set('postern_behaviour_tracked', tracked[kind].size, kind)
    meter.set('postern_behaviour_forgotten', tracked[kind].forgotten, kind)
  }
}

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
