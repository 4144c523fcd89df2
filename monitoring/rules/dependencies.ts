import { perGuard, perNamespace, type Group } from './rule.ts'

export const dependencies: readonly Group[] = [
  {
    name: 'postern-dependencies',
    rules: [
      {
        alert: 'PosternUpstreamDown',
        expr: `${perGuard.value('postern_upstream_healthy')} == 0`,
        for: '2m',
        severity: 'page',
        summary:
          'The guard {{ $labels.instance }} {{ $labels.pod }} has stopped calling the model server {{ $labels.upstream }}: its circuit is open.',
      },
      {
        alert: 'PosternUpstreamFailing',
        expr: `(${perNamespace.rate('postern_upstream_requests_total', { by: ['upstream'], where: { result: '=~"error|connect_failed|reset|timeout|invalid|saturated"' } })}) / (${perNamespace.rate('postern_upstream_requests_total', { by: ['upstream'] })}) > 0.1`,
        for: '5m',
        severity: 'ticket',
        summary:
          '{{ $value | humanizePercentage }} of the calls of {{ $labels.upstream }} in {{ $labels.namespace }} fail.',
      },
      {
        alert: 'PosternIdentityUnavailable',
        expr: `${perNamespace.rate('postern_identify_total', { by: ['identifier'], where: { result: '="unavailable"' } })} > 0`,
        for: '2m',
        severity: 'page',
        summary:
          'In {{ $labels.namespace }} credentials cannot be checked by {{ $labels.identifier }}; their callers are refused.',
      },
      {
        alert: 'PosternKeySetFetchFailing',
        expr: `${perNamespace.increase('postern_key_set_fetches_total', { by: ['issuer'], where: { result: '="failed"' }, over: '15m' })} > 2 unless ${perNamespace.increase('postern_key_set_fetches_total', { by: ['issuer'], where: { result: '="ok"' }, over: '15m' })} > 0`,
        for: '5m',
        severity: 'ticket',
        summary:
          'The keys of issuer {{ $labels.issuer }} cannot be fetched in {{ $labels.namespace }}; its tokens are checked with kept keys for a while.',
      },
      {
        alert: 'PosternLimitsDegraded',
        expr: `${perNamespace.rate('postern_limiter_fallback_total')} > 0`,
        for: '5m',
        severity: 'ticket',
        summary:
          'Guards in {{ $labels.namespace }} cannot reach the shared store of limits and count alone: callers get a multiple.',
      },
      {
        alert: 'PosternCallersHeldBack',
        expr: `(${perNamespace.rate('postern_refusals_total', { where: { code: '=~"rate_limited|budget_spent"' } })}) / (${perNamespace.rate('postern_requests_total')}) > 0.2 and ${perNamespace.rate('postern_refusals_total', { where: { code: '=~"rate_limited|budget_spent"' } })} > 0.1`,
        for: '10m',
        severity: 'ticket',
        summary:
          'Limits hold back {{ $value | humanizePercentage }} of the requests in {{ $labels.namespace }}.',
      },
      {
        alert: 'PosternConnectionsHigh',
        // By default an address may hold 10,240 connections and all together 16,384; further ones are closed unheard.
        expr: `${perGuard.value('postern_connections')} > 8000`,
        for: '5m',
        severity: 'ticket',
        summary:
          'The guard {{ $labels.instance }} {{ $labels.pod }} has {{ $value | humanize }} connections; near its limit, clients are turned away unheard.',
      },
    ],
  },
]
