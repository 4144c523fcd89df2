import { perGuard, perNamespace, type Group } from './rule.ts'

const certificateEnd = perGuard.value('postern_controller_certificate_end_seconds', {
  where: { use: '="authority"' },
})
const serverEnd = perGuard.value('postern_controller_certificate_end_seconds', {
  where: { use: '="server"' },
})

const workloadEnd = perGuard.value('postern_workload_certificate_expiry_timestamp_seconds')

const failing = (result: 'failed' | 'ok') =>
  perNamespace.happened('postern_controller_reconciles_total', {
    by: ['name'],
    where: { result: `="${result}"` },
    over: '30m',
  })

export const controller: readonly Group[] = [
  {
    name: 'postern-controller',
    rules: [
      {
        alert: 'PosternCertificateExpiring',
        // Renewed long before: the server certificate at two thirds of its life.
        expr: `(${certificateEnd} - time() < 14 * 86400) or (${serverEnd} - time() < 3600) or ((${workloadEnd} > 0) - time() < 7200)`,
        for: '10m',
        severity: 'page',
        summary:
          'A certificate ({{ $labels.use }}) of {{ $labels.instance }} {{ $labels.pod }} ends in {{ $value | humanizeDuration }} and was not renewed.',
      },
      {
        alert: 'PosternCertificatesFailing',
        expr: `${perNamespace.rate('postern_controller_certificates_total', { by: ['use'], where: { result: '="failed"' } })} > 0`,
        for: '10m',
        severity: 'page',
        summary:
          'The controller cannot issue {{ $labels.use }} certificates; guards keep theirs until they end, new pods get none.',
      },
      {
        alert: 'PosternTrustUnreadable',
        expr: perNamespace.happened('postern_controller_trust_reads_total', {
          where: { result: '="failed"' },
          over: '15m',
        }),
        for: '5m',
        severity: 'page',
        summary: 'The controller cannot read its Secret with the CA, or the Secret is damaged.',
      },
      {
        alert: 'PosternAdmissionFailing',
        expr: `${perNamespace.rate('postern_controller_admissions_total', { by: ['webhook'], where: { result: '="failed"' } })} > 0`,
        for: '5m',
        severity: 'page',
        summary: 'The {{ $labels.webhook }} webhook fails; labelled pods are not created.',
      },
      {
        alert: 'PosternPodsUnguarded',
        expr: `max by (namespace) (${perGuard.value('postern_controller_pods_unguarded')}) > 0`,
        for: '5m',
        severity: 'page',
        summary: '{{ $value }} pods run without a guard in namespaces that must be guarded.',
      },
      {
        alert: 'PosternPoliciesRejected',
        expr: `max by (namespace) (${perGuard.value('postern_controller_policies_rejected')}) > 0`,
        for: '5m',
        severity: 'ticket',
        summary: '{{ $value }} policy ConfigMaps have a mistake; the last good policy stays in force.',
      },
      {
        alert: 'PosternReconcileFailing',
        expr: `${failing('failed')} unless ${failing('ok')}`,
        for: '10m',
        severity: 'ticket',
        summary: 'The controller has not kept {{ $labels.name }} in the cluster for half an hour.',
      },
      {
        alert: 'PosternControllerNoLeader',
        expr: `${perNamespace.sum('postern_controller_leader', { by: ['lease'] })} == 0`,
        for: '5m',
        severity: 'page',
        summary:
          'No controller in {{ $labels.namespace }} is the leader; nothing is renewed or changed in the cluster.',
      },
    ],
  },
]
