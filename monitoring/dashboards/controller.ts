import { chosen, type Board } from './board.ts'

export const controller: Board = {
  uid: 'postern-controller',
  title: 'Controller',
  says: 'What injects guards, issues certificates and hands out policy. Guards go on for hours without it; new pods do not start.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Pods without a guard',
          says: 'In guarded namespaces, exempt ones not counted. Anything but 0 is a way around the guard.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: `max(${chosen.value('postern_controller_pods_unguarded')})`, legend: 'unguarded' },
          ],
          bands: { red: 1 },
        },
        {
          kind: 'stat',
          title: 'Policy ConfigMaps with a mistake',
          says: 'Above 0 the last good bundle stays in force. The status annotation of the ConfigMap says what is wrong.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: `max(${chosen.value('postern_controller_policies_rejected')})`, legend: 'rejected' },
          ],
          bands: { red: 1 },
        },
        {
          kind: 'stat',
          title: 'Leaders',
          says: 'Replicas that write. One at all times but for seconds of a change.',
          unit: 'none',
          width: 6,
          queries: [
            { expr: chosen.sum('postern_controller_leader', { by: ['lease'] }), legend: '{{lease}}' },
          ],
          bands: { lowIsBad: true, red: 1 },
        },
        {
          kind: 'stat',
          title: 'Certificates end in',
          says: 'Of the authority that signs, and of the webhook server. Both are renewed long before.',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `min by (use) (${chosen.value('postern_controller_certificate_end_seconds')}) - time()`,
              legend: '{{use}}',
            },
          ],
          bands: { lowIsBad: true, orange: 3600, red: 7200 },
        },
      ],
    },
    {
      title: 'Admission',
      panels: [
        {
          kind: 'stack',
          title: 'Reviews',
          says: 'By webhook and result. refused: the pod cannot be guarded as asked, and the reason was told. failed: our own fault.',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_controller_admissions_total', { by: ['webhook', 'result'] }),
              legend: '{{webhook}} {{result}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Time of a review (p99)',
          says: 'The API server waits for it, 10 s at most.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: chosen.quantile(0.99, 'postern_controller_admission_seconds', { by: ['webhook'] }),
              legend: '{{webhook}}',
            },
          ],
          bands: { orange: 0.5, red: 2 },
        },
      ],
    },
    {
      title: 'Certificates, policy and the cluster',
      panels: [
        {
          kind: 'stack',
          title: 'Certificates',
          says: 'Asked for, by use and result. refused: a token or request that was not right.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_controller_certificates_total', { by: ['use', 'result'] }),
              legend: '{{use}} {{result}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Bundle requests',
          says: 'Of guards for the policy bundle. none: there is no bundle yet.',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_controller_bundle_requests_total', { by: ['result'] }),
              legend: '{{result}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Passes over the cluster',
          says: 'Of the leader, by what it keeps and result; and looks at the Secret with the CA.',
          unit: 'ops',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_controller_reconciles_total', { by: ['name', 'result'] }),
              legend: '{{name}} {{result}}',
            },
            {
              expr: chosen.rate('postern_controller_trust_reads_total', { by: ['result'] }),
              legend: 'CA {{result}}',
            },
          ],
        },
      ],
    },
  ],
}
