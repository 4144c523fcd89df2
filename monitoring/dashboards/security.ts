import { rulesOf } from '../findings.ts'
import { audited, chosen, recorded, shown, share, type Board } from './board.ts'

const CONTENT = { where: { code: '=~"content_blocked|policy_denied"' } } as const

/** A line holds a finding in the answer and one of a secret; nearly always they are the same. */
const LEAKS = ['"direction":"response","path"', '"category":"secret"']

export const security: Board = {
  uid: 'postern-security',
  title: 'Security',
  says: 'Attempts at injection, secrets and personal data in both directions, and what was done about them.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Injection attempts',
          says: 'Findings of injection rules in requests, an hour. Tool results and documents count as requests.',
          unit: 'short',
          width: 6,
          queries: [
            {
              expr: `3600 * (${chosen.rate('postern_findings_total', { where: { rule: rulesOf('injection'), direction: '="request"' } })}) or vector(0)`,
              legend: 'an hour',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Injection attempts blocked',
          says: 'Of the findings of injection rules in requests, the share that was blocked. The rest was below the score, and observed.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: share(
                shown.increase('postern_findings_total', {
                  where: { rule: rulesOf('injection'), direction: '="request"', action: '="block"' },
                }),
                shown.increase('postern_findings_total', {
                  where: { rule: rulesOf('injection'), direction: '="request"' },
                }),
              ),
              legend: 'blocked',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Secrets kept in',
          says: 'Findings of secret rules in answers that were redacted or blocked, in the time shown: the model, its tools or its documents hold credentials.',
          unit: 'short',
          width: 6,
          queries: [
            {
              expr: `(${shown.increase('postern_findings_total', { where: { rule: rulesOf('secret'), direction: '="response"', action: '=~"redact|tokenize|block"' } })}) or vector(0)`,
              legend: 'kept in',
            },
          ],
          bands: { orange: 1 },
        },
        {
          kind: 'stat',
          title: 'Refused for their content',
          says: 'Share of exchanges that policy denied or blocked.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: share(
                chosen.rate('postern_refusals_total', CONTENT),
                chosen.rate('postern_requests_total'),
              ),
              legend: 'refused',
            },
          ],
        },
      ],
    },
    {
      title: 'Findings',
      panels: [
        {
          kind: 'stack',
          title: 'By kind',
          says: 'Secrets, personal data, injection and invisible text, both directions, as the recording rule counts them.',
          unit: 'ops',
          width: 8,
          queries: [
            { expr: `sum by (category) (${recorded('postern:findings:rate5m')})`, legend: '{{category}}' },
          ],
        },
        {
          kind: 'stack',
          title: 'By what was done',
          says: 'observe passes the text and records it; redact and tokenize replace it; block refuses the exchange.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_findings_total', { by: ['direction', 'action'] }),
              legend: '{{direction}} {{action}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Injection rules',
          says: 'Which phrases are tried. A new rule that leads, all at once, is a campaign.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: `topk(10, ${chosen.rate('postern_findings_total', { by: ['rule'], where: { rule: rulesOf('injection') } })})`,
              legend: '{{rule}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Rules',
          says: 'Findings by rule, direction and action in the time shown. A rule with many findings and only `observe` may be noise or a hole: look at its records.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `topk(50, ${shown.increase('postern_findings_total', { by: ['rule', 'direction', 'action'] })} > 0)`,
              legend: '',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Leakage in answers',
          says: 'Secrets and personal data that the model put into answers, by what was done. Passed (observe, ignore) ones are leaks by policy.',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_findings_total', {
                by: ['action'],
                where: { rule: rulesOf('secret'), direction: '="response"' },
              }),
              legend: 'secret {{action}}',
            },
            {
              expr: chosen.rate('postern_findings_total', {
                by: ['action'],
                where: { rule: rulesOf('personal_data'), direction: '="response"' },
              }),
              legend: 'personal data {{action}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Leakage incidents',
      panels: [
        {
          kind: 'stat',
          title: 'Secrets that left',
          says: 'Findings of secret rules in answers that policy let pass, in the time shown. Each is an incident: replace the credential.',
          unit: 'short',
          width: 6,
          bands: { red: 1 },
          queries: [
            {
              expr: `(${shown.increase('postern_findings_total', { where: { rule: rulesOf('secret'), direction: '="response"', action: '=~"observe|ignore"' } })}) or vector(0)`,
              legend: 'left',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Secrets in answers, by caller',
          says: 'From the audit log in Loki: whose answers held credentials, from which model, and what became of the answer.',
          unit: 'short',
          width: 18,
          queries: [
            {
              expr: `topk(50, sum by (subject, model, outcome) (count_over_time(${audited({ subject: 'caller.subject', model: 'model', outcome: 'outcome' }, '', LEAKS)} [$__range])))`,
              legend: '',
              from: 'loki',
            },
          ],
        },
        {
          kind: 'logs',
          title: 'Leakage incidents',
          says: 'The records: credentials in answers, kept in or not. `postern explain ID` says what each place was and what was done.',
          unit: 'none',
          width: 24,
          queries: [{ expr: audited({ outcome: 'outcome' }, '', LEAKS), legend: '', from: 'loki' }],
        },
      ],
    },
    {
      title: 'False-positive feedback',
      panels: [
        {
          kind: 'stat',
          title: 'Judged wrong',
          says: 'Of the decisions that people judged on the page for people in the time shown, the share they called wrong. People judge what annoys them: it is no error rate.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: share(
                shown.increase('postern_feedback_total', { where: { verdict: '="wrong"' } }),
                shown.increase('postern_feedback_total'),
              ),
              legend: 'wrong',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Feedback by rule',
          says: 'Since each guard started. `none`: the decision as a whole. A rule that is often wrong needs a better pattern, or a lower score.',
          unit: 'short',
          width: 9,
          queries: [
            {
              expr: `sort_desc(sum by (rule, verdict) (${chosen.counter('postern_feedback_total')}))`,
              legend: '',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Feedback over time',
          says: 'Judgements since the start, by verdict. The audit log says which exchanges they are about.',
          unit: 'short',
          width: 9,
          queries: [
            {
              expr: `sum by (verdict) (${chosen.counter('postern_feedback_total')})`,
              legend: '{{verdict}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Refusals and what was not read',
      panels: [
        {
          kind: 'stack',
          title: 'Refusals by code',
          says: 'Every code of the refusal table. guard_failed and guard_unavailable are our own faults.',
          unit: 'reqps',
          width: 12,
          queries: [{ expr: chosen.rate('postern_refusals_total', { by: ['code'] }), legend: '{{code}}' }],
        },
        {
          kind: 'stack',
          title: 'Passed unread',
          says: 'Requests on routes that say inspect: false. Each route here is a decision of somebody; know whose.',
          unit: 'reqps',
          width: 12,
          queries: [
            { expr: chosen.rate('postern_uninspected_total', { by: ['route'] }), legend: '{{route}}' },
          ],
        },
      ],
    },
    {
      title: 'Responses to threats',
      panels: [
        {
          kind: 'series',
          title: 'Responses in force',
          says: 'By kind, over all guards chosen. quarantine: that guard answers nothing. Should be 0 most of the time.',
          unit: 'short',
          width: 12,
          queries: [{ expr: chosen.sum('postern_respond_active', { by: ['kind'] }), legend: '{{kind}}' }],
        },
        {
          kind: 'stack',
          title: 'Questions about responses',
          says: 'Of guards to the controller, by result. Only failed: new responses do not reach these guards.',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_respond_fetches_total', { by: ['result'] }),
              legend: '{{result}}',
            },
          ],
        },
      ],
    },
  ],
}
