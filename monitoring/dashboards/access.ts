import { audited, chosen, shown, share, type Board } from './board.ts'

const REFUSED = 'outcome="refused"'

const most = (label: string, path: string, filter: string): string => {
  const members = { outcome: 'outcome', [label]: path }
  return `topk(15, sum by (${label}) (count_over_time(${audited(members, filter)} [$__range])))`
}

export const access: Board = {
  uid: 'postern-access',
  title: 'Access and abuse',
  says: 'Who is let in, who is not, and where trouble comes from. Metrics carry no caller; the tables read the audit log in Loki.',
  rows: [
    {
      title: 'Credentials',
      panels: [
        {
          kind: 'stack',
          title: 'Credentials checked',
          says: 'By identifier and result. `none refused`: nobody knew the credential, or there was none. `unavailable`: it could not be checked.',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_identify_total', { by: ['identifier', 'result'] }),
              legend: '{{identifier}} {{result}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Share of credentials refused',
          says: 'A jump is a wrong roll-out of tokens, an expired key, or somebody guessing.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: share(
                chosen.rate('postern_identify_total', { where: { result: '="refused"' } }),
                chosen.rate('postern_identify_total'),
              ),
              legend: 'refused',
            },
          ],
          bands: { orange: 0.2, red: 0.5 },
        },
        {
          kind: 'series',
          title: 'Age of key sets at their last fetch',
          says: 'Per issuer. Grows while fetches fail; past the allowed age, tokens of that issuer cannot be checked.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `max by (issuer) (${chosen.value('postern_key_set_age_seconds')})`,
              legend: '{{issuer}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Refused at the door',
      panels: [
        {
          kind: 'stack',
          title: 'Not let in',
          says: 'Without credential, without permission, over a limit.',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_refusals_total', {
                by: ['code'],
                where: { code: '=~"unauthenticated|policy_denied|rate_limited|budget_spent|model_unknown"' },
              }),
              legend: '{{code}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Malformed and probing',
          says: 'Unknown routes, bad headers and bodies, upgrades: scanners, attacks on parsers, and broken clients.',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_refusals_total', {
                by: ['code'],
                where: {
                  code: '=~"route_unknown|method_not_allowed|headers_invalid|body_invalid|body_too_large|media_type_unsupported|upgrade_refused|request_timeout"',
                },
              }),
              legend: '{{code}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Refusals by route and code',
          says: 'In the time shown. `none`: no route matched, or the request was refused before one was looked for.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `topk(50, ${shown.increase('postern_refusals_total', { by: ['route', 'code'] })} > 0)`,
              legend: '',
            },
          ],
        },
      ],
    },
    {
      title: 'Traceback (audit log in Loki)',
      panels: [
        {
          kind: 'table',
          title: 'Refused, by address',
          says: 'Addresses with the most refused exchanges in the time shown. Behind a proxy this is the proxy.',
          unit: 'short',
          width: 6,
          queries: [{ expr: most('client', 'client', REFUSED), legend: '', from: 'loki' }],
        },
        {
          kind: 'table',
          title: 'Refused, by caller',
          says: 'Subjects with the most refused exchanges. Empty: nobody was identified.',
          unit: 'short',
          width: 6,
          queries: [{ expr: most('subject', 'caller.subject', REFUSED), legend: '', from: 'loki' }],
        },
        {
          kind: 'table',
          title: 'Refused, by roles',
          says: 'The list of roles of the caller. A role that is refused much may need another policy, or is being misused.',
          unit: 'short',
          width: 6,
          queries: [{ expr: most('roles', 'caller.roles', REFUSED), legend: '', from: 'loki' }],
        },
        {
          kind: 'table',
          title: 'Refused, by tenant',
          says: 'Tenants with the most refused exchanges.',
          unit: 'short',
          width: 6,
          queries: [{ expr: most('tenant', 'caller.tenant', REFUSED), legend: '', from: 'loki' }],
        },
        {
          kind: 'table',
          title: 'Findings, by caller',
          says: 'Callers whose exchanges had findings: the first of their list, whatever was done.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `topk(15, sum by (subject, rule) (count_over_time(${audited({ subject: 'caller.subject', rule: 'findings[0].rule' }, 'rule!=""')} [$__range])))`,
              legend: '',
              from: 'loki',
            },
          ],
        },
        {
          kind: 'logs',
          title: 'Refused exchanges',
          says: 'The records themselves: who, what, why. Ids, offsets and hashes, never text. `postern audit verify` proves that the file is whole.',
          unit: 'none',
          width: 16,
          queries: [{ expr: audited({ outcome: 'outcome' }, REFUSED), legend: '', from: 'loki' }],
        },
      ],
    },
  ],
}
