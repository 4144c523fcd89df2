import { audited, chosen, shown, share, type Board } from './board.ts'

export const policy: Board = {
  uid: 'postern-policy',
  title: 'Policy',
  says: 'What policy decides, why it refuses, how fast it answers and when it changed.',
  rows: [
    {
      title: 'Decisions',
      panels: [
        {
          kind: 'stack',
          title: 'Decisions',
          says: 'Asked of policy a second, by stage (request, response, tool call) and engine.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: chosen.observed('postern_decision_seconds', { by: ['stage', 'engine'] }),
              legend: '{{stage}} {{engine}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Time of a decision',
          says: 'Half and 99 % of decisions are faster than this.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: chosen.quantile(0.5, 'postern_decision_seconds', { by: ['engine'] }),
              legend: '{{engine}} p50',
            },
            {
              expr: chosen.quantile(0.99, 'postern_decision_seconds', { by: ['engine'] }),
              legend: '{{engine}} p99',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Answered from the cache',
          says: 'Equal facts have equal answers. Low: facts differ much, such as findings with many offsets.',
          unit: 'percentunit',
          width: 8,
          queries: [
            {
              expr: share(
                chosen.rate('postern_policy_cache_total', { where: { result: '="hit"' } }),
                chosen.rate('postern_policy_cache_total'),
              ),
              legend: 'hits',
            },
          ],
        },
      ],
    },
    {
      title: 'Refusals',
      panels: [
        {
          kind: 'stack',
          title: 'Refused by policy',
          says: 'policy_denied: not allowed at all. content_blocked: a finding with the action block.',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_refusals_total', {
                by: ['route', 'code'],
                where: { code: '=~"policy_denied|content_blocked"' },
              }),
              legend: '{{route}} {{code}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Reasons',
          says: 'Lists of reason codes of refused exchanges, from the audit log in Loki: the refusal code, then those of policy.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `topk(20, sum by (reasons) (count_over_time(${audited({ outcome: 'outcome', reasons: 'reasons' }, 'outcome="refused"')} [$__range])))`,
              legend: '',
              from: 'loki',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Revisions in use',
          says: 'Exchanges by policy revision, from the audit log in Loki. More than one for long: some guards did not take the new one.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `sum by (revision, outcome) (count_over_time(${audited({ outcome: 'outcome', revision: 'policy.revision' }, 'revision!=""')} [$__range]))`,
              legend: '',
              from: 'loki',
            },
          ],
        },
      ],
    },
    {
      title: 'Changes',
      panels: [
        {
          kind: 'stack',
          title: 'Exchanges by revision',
          says: 'From the audit log in Loki: where the colour changes, policy changed. Two for long: some guards did not take the new one.',
          unit: 'ops',
          width: 24,
          queries: [
            {
              expr: `sum by (revision) (rate(${audited({ revision: 'policy.revision' }, 'revision!=""')} [$__interval]))`,
              legend: '{{revision}}',
              from: 'loki',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Where the shadow policy would differ',
          says: 'Decisions a second that policy.shadow would have taken otherwise. Nothing here: it is not configured, or it agrees.',
          unit: 'ops',
          width: 24,
          queries: [
            {
              expr: chosen.rate('postern_policy_shadow_total', { by: ['stage', 'difference'] }),
              legend: '{{stage}} {{difference}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Reloads of policy',
          says: 'A failed one leaves the old policy in place.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `sum by (result) (${chosen.counter('postern_reloads_total', { where: { what: '="policy"' } })})`,
              legend: '{{result}}, since the start',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Reloads in the time shown',
          says: 'Configuration, certificates and policy, taken or not.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: shown.increase('postern_reloads_total', { by: ['instance', 'what', 'result'] }),
              legend: '',
            },
          ],
        },
      ],
    },
  ],
}
