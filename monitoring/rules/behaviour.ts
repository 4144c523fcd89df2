import { perNamespace, type Group } from './rule.ts'

const drifted = perNamespace.sum('postern_behaviour_drifted', { by: ['model', 'tenant', 'feature'] })
const flagged = (flag: string, over: string): string =>
  perNamespace.increase('postern_behaviour_flags_total', { where: { flag }, over })
const unsure = perNamespace.rate('postern_behaviour_flags_total', {
  where: { flag: '="entropy_high"' },
  over: '30m',
})
const measured = perNamespace.observed('postern_behaviour_entropy_bits', { over: '30m' })
const declined = (over: string): string =>
  `(${perNamespace.rate('postern_behaviour_answers_total', { by: ['model'], where: { result: '="declined"' }, over })}) / (${perNamespace.rate('postern_behaviour_answers_total', { by: ['model'], over })})`

export const behaviour: readonly Group[] = [
  {
    name: 'postern-behaviour',
    rules: [
      {
        alert: 'PosternModelDrifted',
        expr: `${drifted} > 0`,
        // A window is an hour or so: one odd window is not yet another model.
        for: '2h',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, the {{ $labels.feature }} of {{ $labels.model }} for {{ $labels.tenant }} is not what it was when the baseline was frozen.',
      },
      {
        alert: 'PosternModelUnsure',
        expr: `(${unsure}) / (${measured}) > 0.3 and (${measured}) > 0.01`,
        for: '15m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, {{ $value | humanizePercentage }} of the answers have an entropy above the threshold.',
      },
      {
        alert: 'PosternModelDeclines',
        expr: `${declined('30m')} > 0.2 and ${declined('30m')} > 3 * (${declined('1d')})`,
        for: '15m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, {{ $labels.model }} says no to {{ $value | humanizePercentage }} of what it is asked, three times the usual of the last day.',
      },
      {
        alert: 'PosternToolNotOffered',
        expr: perNamespace.happened('postern_behaviour_flags_total', {
          where: { flag: '="tool_not_offered"' },
          over: '15m',
        }),
        for: '0m',
        severity: 'ticket',
        summary: 'In {{ $labels.namespace }}, a model called a tool that the request did not offer.',
      },
      {
        alert: 'PosternCallerUnusual',
        expr: `${flagged('=~"(rate|refusals)_.*"', '15m')} > 5`,
        for: '5m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, callers, addresses or roles leave their own past behind: {{ $value | humanize }} times in a quarter of an hour.',
      },
      {
        alert: 'PosternOutcomeDisparity',
        expr: `${perNamespace.sum('postern_behaviour_disparity_adverse', { by: ['dimension', 'group', 'outcome'] })} > 0`,
        for: '1h',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, the group {{ $labels.group }} ({{ $labels.dimension }}) fares worse than four fifths of the best in {{ $labels.outcome }}.',
      },
    ],
  },
]
