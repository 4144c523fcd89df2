import type { ExchangeFacts, ModelReport } from '../core/behaviour.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import type { Baseline, Profile } from './baseline.ts'
import { driftOf, type Drift } from './drift.ts'
import { declared } from './names.ts'
import { pageHinkley, type PageHinkley } from './page-hinkley.ts'
import type { Share } from './proportions.ts'
import { emptyPane, observationOf, spread, take, type Feature, type Observation, type Pane } from './pane.ts'

export interface ProfilesOptions {
  /** Names that may be labels; others count together as `other`. */
  readonly models: readonly string[]
  readonly tenants: readonly string[]
  readonly tools: readonly string[]
  readonly baseline: Baseline | undefined
  /** A window closes, and is compared with the baseline, when it holds so many exchanges or is so old. */
  readonly window: { readonly exchanges: number; readonly ms: number }
  /** 0 to below 1. */
  readonly random: () => number
}

export interface Profiles {
  seen(facts: ExchangeFacts): void
  /** Closes windows that are old. */
  tick(at: number): void
  snapshot(): readonly Profile[]
  report(): readonly ModelReport[]
  /** Compares with another baseline, or declares other names, from now on; what was seen stays. */
  update(options: ProfilesOptions): void
  readonly size: number
}

/** One model and tenant. */
interface State {
  readonly labels: readonly [string, string]
  readonly all: Pane
  window: Pane
  since: number
  baseline: Pane | undefined
  detectors: readonly Detector[]
  /** Of the last closed window. */
  drifts: readonly Drift[]
}

interface Detector {
  readonly feature: Feature
  /** In standard deviations from the baseline's mean. */
  readonly standardised: (seen: Observation) => number | undefined
  readonly test: PageHinkley
}

/**
 * In standard deviations: a lasting change of the mean by half of one is found within about 125 exchanges, and a tenth is let
 * pass. No fading: with a factor of 0.9999 the sums would wander past the threshold by themselves. Without change an alarm comes less than once in a hundred thousand exchanges, which a test checks by simulation.
 */
const CHANGE = { minValues: 30, delta: 0.1, threshold: 50, alpha: 1 } as const

/** Windows of traffic per model and tenant against the baseline; as many profiles as names were declared, plus `other`. */
export const profiles = (
  options: ProfilesOptions,
  { meter, log }: { readonly meter: Meter; readonly log: Log },
): Profiles => {
  let { baseline, window } = options
  let names = namesOf(options)
  const { random } = options
  const states = new Map<string, Map<string, State>>()
  const close = (state: State, at: number): void => {
    report(state, { meter, log })
    state.window = emptyPane()
    state.since = at
  }
  const stateOf = (facts: ExchangeFacts): State => {
    const [model, tenant] = [names.model(facts.model), names.tenant(facts.tenant)]
    let tenants = states.get(model)
    if (tenants === undefined) states.set(model, (tenants = new Map<string, State>()))
    let state = tenants.get(tenant)
    if (state === undefined) tenants.set(tenant, (state = newState([model, tenant], baseline, facts.at)))
    return state
  }
  const each = (): readonly State[] => [...states.values()].flatMap((tenants) => [...tenants.values()])
  return {
    seen: (facts) => {
      const state = stateOf(facts)
      const seen = observationOf(facts, names.tool)
      take(state.all, seen, random)
      take(state.window, seen, random)
      detect(state, seen, { meter, log })
      if (state.window.exchanges >= window.exchanges || facts.at - state.since >= window.ms)
        close(state, facts.at)
    },
    tick: (at) => {
      for (const state of each())
        if (at - state.since >= window.ms && state.window.exchanges > 0) close(state, at)
    },
    snapshot: () => each().map(({ labels: [model, tenant], all }) => ({ model, tenant, pane: all })),
    report: () => each().map(reportOf),
    update: (next) => {
      names = namesOf(next)
      window = next.window
      if (next.baseline?.made === baseline?.made) return
      baseline = next.baseline
      for (const state of each()) {
        for (const { feature } of state.drifts)
          meter.set('postern_behaviour_drifted', 0, ...state.labels, feature)
        Object.assign(state, comparedWith(state.labels, baseline), NOTHING_YET())
      }
    },
    get size() {
      return each().length
    },
  }
}

const namesOf = ({ models, tenants, tools }: ProfilesOptions) => ({
  model: declared(models),
  tenant: declared(tenants),
  tool: declared(tools),
})

const newState = (labels: readonly [string, string], baseline: Baseline | undefined, at: number): State => ({
  labels,
  all: emptyPane(),
  since: at,
  ...comparedWith(labels, baseline),
  ...NOTHING_YET(),
})

const NOTHING_YET = (): Pick<State, 'window' | 'drifts'> => ({ window: emptyPane(), drifts: [] })

const comparedWith = (
  [model, tenant]: readonly [string, string],
  baseline: Baseline | undefined,
): Pick<State, 'baseline' | 'detectors'> => {
  const known = baseline?.profiles.find((one) => one.model === model && one.tenant === tenant)?.pane
  return { baseline: known, detectors: known === undefined ? [] : detectorsOf(known) }
}

const reportOf = ({ labels: [model, tenant], all, drifts }: State): ModelReport => ({
  model,
  tenant,
  exchanges: all.exchanges,
  answers: all.answers,
  refused: all.refused / Math.max(1, all.exchanges),
  declined: all.declined / Math.max(1, all.answers),
  entropy: all.samples.entropy.count === 0 ? undefined : all.samples.entropy.mean,
  drifts: drifts.map(({ feature, psi, verdict }) => ({ feature, psi, verdict })),
})

/** A rate of nothing at all would make a single event a change. */
const LEAST_RATE_SPREAD = Math.sqrt(0.05 * 0.95)
const LEAST_SPREAD = 0.05
const LEAST_KNOWN = 50

const detectorsOf = ({ exchanges, answers, refused, declined, samples }: Pane): readonly Detector[] => {
  const rate = (feature: Feature, { hits, of }: Share, hit: (seen: Observation) => boolean | undefined) => {
    const mean = of === 0 ? 0 : hits / of
    const deviation = Math.max(LEAST_RATE_SPREAD, Math.sqrt(mean * (1 - mean)))
    return detector(of, feature, (seen) => {
      const yes = hit(seen)
      return yes === undefined ? undefined : (Number(yes) - mean) / deviation
    })
  }
  const number = (feature: 'length' | 'entropy') => {
    const { mean, count } = samples[feature]
    const deviation = Math.max(LEAST_SPREAD, spread(samples[feature]))
    return detector(count, feature, (seen) => {
      const value = seen[feature]
      return value === undefined ? undefined : (value - mean) / deviation
    })
  }
  return [
    ...number('length'),
    ...number('entropy'),
    ...rate('refusal', { hits: refused, of: exchanges }, (seen) => seen.refused),
    ...rate('decline', { hits: declined, of: answers }, (seen) =>
      seen.length === undefined ? undefined : seen.declined,
    ),
  ]
}

const detector = (
  known: number,
  feature: Feature,
  standardised: Detector['standardised'],
): readonly Detector[] => (known < LEAST_KNOWN ? [] : [{ feature, standardised, test: pageHinkley(CHANGE) }])

interface Instruments {
  readonly meter: Meter
  readonly log: Log
}

const detect = ({ detectors, labels }: State, seen: Observation, { meter, log }: Instruments): void => {
  for (const { feature, standardised, test } of detectors) {
    const value = standardised(seen)
    const direction = value === undefined ? undefined : test.next(value)
    if (direction === undefined) continue
    meter.add('postern_behaviour_changes_total', 1, ...labels, feature, direction)
    log.warn('behaviour_changed', { model: labels[0], tenant: labels[1], feature, direction })
  }
}

const report = (state: State, { meter, log }: Instruments): void => {
  const { baseline, window, labels } = state
  if (baseline === undefined) return
  state.drifts = driftOf(baseline, window)
  for (const { feature, psi, noise, ks, verdict } of state.drifts) {
    meter.set('postern_behaviour_drift_psi', psi, ...labels, feature)
    meter.set('postern_behaviour_drifted', verdict === 'shifted' ? 1 : 0, ...labels, feature)
    if (ks) meter.set('postern_behaviour_drift_p_value', ks.pValue, ...labels, feature)
    if (verdict === 'shifted')
      log.warn('behaviour_drifted', {
        model: labels[0],
        tenant: labels[1],
        feature,
        psi: Math.round(psi * 1000) / 1000,
        noise: Math.round(noise * 1000) / 1000,
      })
  }
}
