import { chosen, shown, type Board } from './board.ts'

export const audit: Board = {
  uid: 'postern-audit',
  title: 'Audit and certificates',
  says: 'Is the record written, and does the guard take new certificates, configuration and policy?',
  rows: [
    {
      title: 'Audit',
      panels: [
        {
          kind: 'stat',
          title: 'Audit log can be written',
          says: 'The worst guard. A guard that cannot write its record refuses everything.',
          unit: 'none',
          width: 6,
          queries: [{ expr: `min(${chosen.value('postern_audit_writable')})`, legend: 'writable' }],
          bands: { lowIsBad: true, red: 1 },
          words: { 0: 'No: nothing is served', 1: 'Yes' },
        },
        {
          kind: 'series',
          title: 'Records made durable',
          says: 'Beside it, the exchanges that ended. The lines should lie on each other; records are more when requests were refused at the door.',
          unit: 'ops',
          width: 9,
          queries: [
            { expr: chosen.rate('postern_audit_records_total'), legend: 'records' },
            { expr: chosen.rate('postern_requests_total'), legend: 'exchanges' },
          ],
        },
        {
          kind: 'series',
          title: 'Time of a commit',
          says: 'Written and on disk. Every request waits for one before the model is called.',
          unit: 's',
          width: 9,
          queries: [
            { expr: chosen.quantile(0.5, 'postern_audit_commit_seconds'), legend: 'p50' },
            { expr: chosen.quantile(0.99, 'postern_audit_commit_seconds'), legend: 'p99' },
          ],
          bands: { orange: 0.025, red: 0.5 },
        },
      ],
    },
    {
      title: 'Reloads',
      panels: [
        {
          kind: 'series',
          title: 'Reloads since the start',
          says: 'By what and result. A certificate that is not reloaded before it ends stops all TLS.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `sum by (what, result) (${chosen.counter('postern_reloads_total')})`,
              legend: '{{what}} {{result}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Failed reloads in the time shown',
          says: 'The old one stays in use. The log of that guard says what is wrong.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: shown.increase('postern_reloads_total', {
                by: ['instance', 'what'],
                where: { result: '="failed"' },
              }),
              legend: '',
            },
          ],
        },
      ],
    },
    {
      title: 'Certificate and policy from the controller',
      panels: [
        {
          kind: 'series',
          title: 'Certificate of the workload ends in',
          says: 'Time left, per guard that gets one. It is renewed when a third of its life is left.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: `(${chosen.value('postern_workload_certificate_expiry_timestamp_seconds')} > 0) - time()`,
              legend: '{{instance}}',
            },
          ],
          bands: { lowIsBad: true, orange: 7200, red: 14400 },
        },
        {
          kind: 'stack',
          title: 'Renewals',
          says: 'By source and result. Failed ones are tried again; the certificate stays in use until it ends.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_workload_certificate_renewals_total', { by: ['source', 'result'] }),
              legend: '{{source}} {{result}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Since the policy bundle was confirmed',
          says: 'Time since the server last said that the bundle in use is the current one. Grows while it cannot be reached.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: `time() - (${chosen.value('postern_policy_bundle_confirmed_timestamp_seconds')} > 0)`,
              legend: '{{instance}}',
            },
          ],
          bands: { orange: 600, red: 1800 },
        },
      ],
    },
    {
      title: 'Keys of issuers',
      panels: [
        {
          kind: 'series',
          title: 'Key set fetches',
          says: 'By issuer and result. Failures are tolerated for a while; then tokens of that issuer cannot be checked.',
          unit: 'ops',
          width: 24,
          queries: [
            {
              expr: chosen.rate('postern_key_set_fetches_total', { by: ['issuer', 'result'] }),
              legend: '{{issuer}} {{result}}',
            },
          ],
        },
      ],
    },
  ],
}
