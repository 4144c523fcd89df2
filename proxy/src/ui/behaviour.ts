import type { BehaviourReport, GroupReport, ModelReport } from '../core/behaviour.ts'
import { foreign, h, type Tree } from './tree.ts'

/** How models behave and whom they treat differently, since the guard started. */
export const behaviourSection = ({ baseline, models, groups, flags }: BehaviourReport): Tree =>
  h(
    'section',
    { id: 'behaviour', 'aria-labelledby': 'behaviour-h' },
    h('h2', { id: 'behaviour-h' }, 'Models and callers'),
    h('p', {}, drifting(baseline, models)),
    models.length === 0
      ? h('p', {}, 'No model was asked yet.')
      : table('What models did since the start', MODEL_HEADINGS, models.slice(0, MOST_ROWS).map(modelRow)),
    ...(groups.length === 0
      ? []
      : [
          h('h3', {}, 'Groups of callers, compared with the one that fares best'),
          table('Outcomes by group', GROUP_HEADINGS, groups.slice(0, MOST_ROWS).map(groupRow)),
        ]),
    h('h3', {}, 'What was unusual'),
    Object.keys(flags).length === 0
      ? h('p', {}, 'Nothing.')
      : table(
          'Flags since the start',
          ['Flag', 'Exchanges'],
          Object.entries(flags).map(([flag, count]) => row(flag, String(count))),
        ),
  )

const MOST_ROWS = 32

const drifting = (baseline: string | undefined, models: readonly ModelReport[]): string => {
  if (baseline === undefined)
    return 'Drift is not measured: there is no baseline. postern baseline freezes one.'
  const shifted = models.filter(({ drifts }) => drifts.some(({ verdict }) => verdict === 'shifted')).length
  const since = baseline.slice(0, 10)
  return shifted === 0
    ? `Nothing has shifted from the baseline of ${since}.`
    : `${shifted} of model and tenant have shifted from the baseline of ${since}.`
}

const MODEL_HEADINGS = ['Model', 'Tenant', 'Exchanges', 'Refused', 'Model says no', 'Entropy, bits', 'Drift']

const modelRow = (one: ModelReport): Tree => {
  const { model, tenant, exchanges, refused, declined, entropy, drifts } = one
  const moved = drifts.filter(({ verdict }) => verdict !== 'stable')
  return row(
    model,
    tenant,
    String(exchanges),
    percent(refused),
    percent(declined),
    entropy === undefined ? '–' : entropy.toFixed(2),
    drifts.length === 0
      ? '–'
      : moved.length === 0
        ? 'none'
        : moved.map(({ feature, psi, verdict }) => `${feature} ${verdict} (${psi.toFixed(2)})`).join(', '),
  )
}

const GROUP_HEADINGS = ['Group', 'By', 'Outcome', 'Ratio', 'p-value', 'Adverse']

const groupRow = ({ dimension, group, outcome, ratio, pValue, adverse }: GroupReport): Tree =>
  row(group, dimension, outcome, ratio.toFixed(2), pValue.toPrecision(2), adverse ? 'yes' : 'no')

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const row = (name: string, ...values: readonly string[]): Tree =>
  h(
    'tr',
    {},
    h('th', { scope: 'row' }, foreign(name)),
    ...values.map((value) => h('td', { class: 'wrap' }, foreign(value))),
  )

const table = (caption: string, headings: readonly string[], rows: readonly Tree[]): Tree =>
  h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h('thead', {}, h('tr', {}, ...headings.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, ...rows),
    ),
  )
