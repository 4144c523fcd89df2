import { GUARDS, perGuard, perNamespace, type Group } from './rule.ts'

/** A guard of ours, whatever its job is called: a PodMonitor's job has the namespace in front. */
const JOBS = 'job=~"(.*/)?postern.*"'

export const guard: readonly Group[] = [
  {
    name: 'postern-guard',
    rules: [
      {
        alert: 'PosternCannotInspect',
        expr: `${perNamespace.rate('postern_refusals_total', { where: { code: '="guard_failed"' } })} > 0`,
        for: '2m',
        severity: 'page',
        summary: 'The guard refuses requests in {{ $labels.namespace }} because its own checks fail.',
      },
      {
        alert: 'PosternNotReady',
        expr: `${perGuard.value('postern_ready', { where: GUARDS })} == 0`,
        for: '5m',
        severity: 'page',
        summary: 'The guard {{ $labels.instance }} {{ $labels.pod }} is up but takes no traffic.',
      },
      {
        alert: 'PosternScrapeFailing',
        expr: `up{${JOBS}} == 0`,
        for: '5m',
        severity: 'page',
        summary:
          'Prometheus cannot reach {{ $labels.instance }} of {{ $labels.job }}: what this guard does is unseen.',
      },
      {
        alert: 'PosternGone',
        // Only where there was one an hour ago: a namespace whose last guarded pod was taken away stays quiet after that.
        expr: `count by (namespace) (${perGuard.value('postern_ready', { where: GUARDS })} offset 1h) unless count by (namespace) (${perGuard.value('postern_ready', { where: GUARDS })})`,
        for: '10m',
        severity: 'page',
        summary: 'No guard in {{ $labels.namespace }} is seen any more; an hour ago there was one.',
      },
      {
        alert: 'PosternRestarting',
        expr: `changes(process_start_time_seconds[30m]) > 2 and on (job, instance) ${perGuard.value('postern_ready', { where: GUARDS })}`,
        for: '0m',
        severity: 'ticket',
        summary: 'The guard {{ $labels.instance }} {{ $labels.pod }} keeps restarting.',
      },
    ],
  },
  {
    name: 'postern-audit',
    rules: [
      {
        alert: 'PosternAuditUnwritable',
        expr: `${perGuard.value('postern_audit_writable', { where: GUARDS })} == 0`,
        for: '1m',
        severity: 'page',
        summary:
          'The guard {{ $labels.instance }} {{ $labels.pod }} cannot write its audit log, and so refuses everything.',
      },
      {
        alert: 'PosternAuditStalled',
        expr: `${perGuard.rate('postern_requests_total')} > 0 unless ${perGuard.rate('postern_audit_records_total')} > 0`,
        for: '5m',
        severity: 'page',
        summary:
          'The guard {{ $labels.instance }} {{ $labels.pod }} ends exchanges, and no audit record is written.',
      },
      {
        alert: 'PosternAuditSlow',
        expr: `${perGuard.quantile(0.99, 'postern_audit_commit_seconds')} > 0.5`,
        for: '10m',
        severity: 'ticket',
        summary:
          'The disk of {{ $labels.instance }} {{ $labels.pod }} takes {{ $value | humanizeDuration }} for an audit record; every request waits for it.',
      },
    ],
  },
  {
    name: 'postern-reload',
    rules: [
      {
        alert: 'PosternReloadFailed',
        expr: perGuard.happened('postern_reloads_total', {
          by: ['what'],
          where: { result: '="failed"' },
          over: '15m',
        }),
        for: '0m',
        severity: 'ticket',
        summary:
          'The guard {{ $labels.instance }} {{ $labels.pod }} did not take a new {{ $labels.what }} and goes on with the old one.',
      },
      {
        alert: 'PosternPolicyStale',
        expr: `${perGuard.happened('postern_reloads_total', { where: { what: '="policy"', result: '="failed"' }, over: '1h' })} unless ${perGuard.happened('postern_reloads_total', { where: { what: '="policy"', result: '="ok"' }, over: '1h' })} or time() - (${perGuard.value('postern_policy_bundle_confirmed_timestamp_seconds')} > 0) > 1800`,
        for: '30m',
        severity: 'page',
        summary:
          'The guard {{ $labels.instance }} {{ $labels.pod }} has decided by an old policy for half an hour: new ones do not load or do not come.',
      },
    ],
  },
]
