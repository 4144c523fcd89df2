import { categories } from '../../proxy/src/core/finding.ts'
import { rulesOf } from '../findings.ts'
import { perNamespace, type Group } from './rule.ts'

const REFUSED = { where: { code: '=~"policy_denied|content_blocked"' } } as const

/** 0 while there are requests and no such event: else the mean of a quiet day would begin with the spike. */
const orNone = (rate: string): string => `${rate} or 0 * ${perNamespace.rate('postern_requests_total')}`

/** Five times the usual, and not just a few. The usual is the mean of the last day, which the spike itself hardly moves. */
const spike = (now: string, usual: string, least: number): string =>
  `${now} > 5 * ${usual} and ${now} > ${least}`

export const security: readonly Group[] = [
  {
    name: 'postern-security',
    rules: [
      // The metric has the rule only; here a rule's name becomes the category of its table.
      ...categories.map((category) => ({
        record: 'postern:findings:rate5m' as const,
        expr: perNamespace.rate('postern_findings_total', {
          by: ['direction', 'action'],
          where: { rule: rulesOf(category) },
        }),
        labels: { category },
      })),
      {
        record: 'postern:refused:rate5m',
        expr: orNone(perNamespace.rate('postern_refusals_total', REFUSED)),
      },
      {
        record: 'postern:injection:rate5m',
        expr: orNone(
          'sum by (namespace) (postern:findings:rate5m{category="injection",direction="request"})',
        ),
      },
      { record: 'postern:refused:avg1d', expr: 'avg_over_time(postern:refused:rate5m[1d])' },
      { record: 'postern:injection:avg1d', expr: 'avg_over_time(postern:injection:rate5m[1d])' },
      {
        alert: 'PosternRefusalSpike',
        expr: spike('postern:refused:rate5m', 'postern:refused:avg1d', 0.1),
        for: '10m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, policy refuses {{ $value | humanize }} requests a second, five times the usual of the last day.',
      },
      {
        alert: 'PosternInjectionSpike',
        expr: spike('postern:injection:rate5m', 'postern:injection:avg1d', 0.1),
        for: '5m',
        severity: 'page',
        summary:
          'In {{ $labels.namespace }}, injection rules find {{ $value | humanize }} attempts a second, five times the usual of the last day.',
      },
      {
        alert: 'PosternSecretsInAnswers',
        expr: 'sum by (namespace) (postern:findings:rate5m{category="secret",direction="response"}) > 0.01',
        for: '10m',
        severity: 'ticket',
        summary:
          'Answers in {{ $labels.namespace }} keep holding credentials; the guard finds {{ $value | humanize }} a second. Their source must go.',
      },
      {
        alert: 'PosternSecretPassed',
        expr: perNamespace.happened('postern_findings_total', {
          by: ['rule', 'action'],
          where: { rule: rulesOf('secret'), direction: '="response"', action: '=~"observe|ignore"' },
          over: '15m',
        }),
        for: '0m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }} an answer with a {{ $labels.rule }} was passed on, because policy says {{ $labels.action }}.',
      },
      {
        alert: 'PosternCredentialsRefused',
        expr: `(${perNamespace.rate('postern_identify_total', { where: { result: '="refused"' } })}) / (${perNamespace.rate('postern_identify_total')}) > 0.5 and ${perNamespace.rate('postern_identify_total', { where: { result: '="refused"' } })} > 0.2`,
        for: '10m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, {{ $value | humanizePercentage }} of the credentials are refused: a broken roll-out, or guessing.',
      },
    ],
  },
]
