import { chosen, ofGuards, recorded, share, type Board } from './board.ts'

export const overview: Board = {
  uid: 'postern-overview',
  title: 'Overview and SLOs',
  says: 'Is the guard there, does it decide, and what does it cost in time? Start here.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          kind: 'stat',
          title: 'Guards that take traffic',
          says: 'Ready guards. Fewer than pods means that some refuse all traffic; their /readyz says why.',
          unit: 'none',
          width: 4,
          queries: [{ expr: chosen.sum('postern_ready'), legend: 'ready' }],
          bands: { lowIsBad: true, red: 1 },
        },
        {
          kind: 'stat',
          title: 'Guards that do not',
          more: ['postern-audit', 'postern-controller'],
          says: 'Guards that are scraped but not ready. Should be 0 outside of rollouts.',
          unit: 'none',
          width: 4,
          queries: [
            {
              expr: `count(${chosen.value('postern_ready')}) - ${chosen.sum('postern_ready')}`,
              legend: 'not ready',
            },
          ],
          bands: { red: 1 },
        },
        {
          kind: 'stat',
          title: 'Requests',
          says: 'Exchanges ended a second, of every outcome.',
          unit: 'reqps',
          width: 4,
          queries: [{ expr: chosen.rate('postern_requests_total'), legend: 'requests' }],
        },
        {
          kind: 'stat',
          title: 'Refused',
          more: ['postern-security', 'postern-policy', 'postern-access'],
          says: 'Share of exchanges that were refused, for whatever reason. Compare with the usual; Security and Policy say why.',
          unit: 'percentunit',
          width: 4,
          queries: [
            {
              expr: share(
                chosen.rate('postern_requests_total', { where: { outcome: '="refused"' } }),
                chosen.rate('postern_requests_total'),
              ),
              legend: 'refused',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'In progress',
          more: ['postern-streaming', 'postern-upstream'],
          says: 'Exchanges in progress, streams included.',
          unit: 'none',
          width: 4,
          queries: [{ expr: chosen.sum('postern_in_flight'), legend: 'in progress' }],
        },
        {
          kind: 'stat',
          title: 'Added by the guard (p99)',
          more: ['postern-policy', 'postern-audit'],
          says: 'Time that the guard spends before it calls the model, 99th percentile. The objective is 25 ms.',
          unit: 's',
          width: 4,
          queries: [{ expr: chosen.quantile(0.99, 'postern_guard_seconds'), legend: 'p99' }],
          bands: { orange: 0.025, red: 0.1 },
        },
      ],
    },
    {
      title: 'Objectives',
      panels: [
        {
          kind: 'series',
          title: 'Requests that the guard itself failed',
          more: ['postern-audit', 'postern-access'],
          says: 'Share refused because the guard could not check. The objective is 0.1 % over 30 days; 14.4 times that pages.',
          unit: 'percentunit',
          width: 12,
          queries: [
            { expr: recorded('postern:unavailable:ratio_rate5m'), legend: '5 minutes {{namespace}}' },
            { expr: recorded('postern:unavailable:ratio_rate1h'), legend: '1 hour {{namespace}}' },
            { expr: recorded('postern:unavailable:ratio_rate6h'), legend: '6 hours {{namespace}}' },
          ],
          bands: { orange: 0.001, red: 0.0144 },
        },
        {
          kind: 'series',
          title: 'Requests that the guard slowed by more than 25 ms',
          says: 'The objective is 1 % over 30 days; 14.4 times that pages.',
          unit: 'percentunit',
          width: 12,
          queries: [
            { expr: recorded('postern:slow:ratio_rate5m'), legend: '5 minutes {{namespace}}' },
            { expr: recorded('postern:slow:ratio_rate1h'), legend: '1 hour {{namespace}}' },
            { expr: recorded('postern:slow:ratio_rate6h'), legend: '6 hours {{namespace}}' },
          ],
          bands: { orange: 0.01, red: 0.144 },
        },
      ],
    },
    {
      title: 'Traffic',
      panels: [
        {
          kind: 'stack',
          title: 'Requests by outcome',
          more: ['postern-security', 'postern-behaviour', 'postern-redteam'],
          says: 'redacted: text was taken out. cut: a stream was stopped. refused: by policy, limits or checks. failed: the model or the guard.',
          unit: 'reqps',
          width: 8,
          queries: [
            { expr: chosen.rate('postern_requests_total', { by: ['outcome'] }), legend: '{{outcome}}' },
          ],
        },
        {
          kind: 'stack',
          title: 'Requests by route',
          more: ['postern-budgets'],
          says: 'Which APIs are used.',
          unit: 'reqps',
          width: 8,
          queries: [{ expr: chosen.rate('postern_requests_total', { by: ['route'] }), legend: '{{route}}' }],
        },
        {
          kind: 'series',
          title: 'Whole exchange',
          more: ['postern-upstream', 'postern-streaming'],
          says: 'From the first byte of a request to the last of its answer, the model included.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: chosen.quantile(0.5, 'postern_request_duration_seconds', { by: ['route'] }),
              legend: '{{route}} p50',
            },
            {
              expr: chosen.quantile(0.95, 'postern_request_duration_seconds', { by: ['route'] }),
              legend: '{{route}} p95',
            },
          ],
        },
      ],
    },
    {
      title: 'Where the time goes',
      panels: [
        {
          kind: 'heat',
          title: 'Added before the model is called',
          says: 'All checks of a request: identity, limits, scan, policy, audit.',
          unit: 's',
          width: 8,
          queries: [{ expr: chosen.buckets('postern_guard_seconds'), legend: '{{le}}' }],
        },
        {
          kind: 'series',
          title: 'Scanning',
          says: 'Mean time to scan all texts of one direction of an exchange.',
          unit: 's',
          width: 8,
          queries: [
            { expr: chosen.mean('postern_scan_seconds', { by: ['direction'] }), legend: '{{direction}}' },
          ],
        },
        {
          kind: 'series',
          title: 'Policy decision (p99)',
          more: ['postern-policy'],
          says: 'Per stage. Above a few milliseconds: the cache does not help, or the OPA server is slow.',
          unit: 's',
          width: 8,
          queries: [
            {
              expr: chosen.quantile(0.99, 'postern_decision_seconds', { by: ['stage', 'engine'] }),
              legend: '{{stage}} {{engine}}',
            },
          ],
        },
      ],
    },
    {
      title: 'The process',
      panels: [
        {
          kind: 'series',
          title: 'CPU',
          says: 'Cores used by each guard. A guard uses one core; near 1 it is the bottleneck: add replicas.',
          unit: 'short',
          width: 5,
          queries: [
            {
              expr: `rate(process_cpu_seconds_total{namespace=~"$namespace",instance=~"$instance"}[$__rate_interval]) and on (job, instance) ${chosen.value('postern_ready')}`,
              legend: '{{instance}}',
            },
          ],
          bands: { orange: 0.7, red: 0.9 },
        },
        {
          kind: 'series',
          title: 'Memory',
          says: 'Resident memory of each guard. It should be flat; the container limit ends the process.',
          unit: 'bytes',
          width: 5,
          queries: [{ expr: ofGuards('process_resident_memory_bytes'), legend: '{{instance}}' }],
        },
        {
          kind: 'series',
          title: 'Event loop delay (p99)',
          says: 'How long a ready callback waits. Long scans show here first.',
          unit: 's',
          width: 5,
          queries: [{ expr: ofGuards('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
          bands: { orange: 0.05, red: 0.25 },
        },
        {
          kind: 'series',
          title: 'Connections',
          says: 'Open client connections. At `server.limits.connections` further ones are closed unheard.',
          unit: 'short',
          width: 4,
          queries: [
            { expr: chosen.sum('postern_connections', { by: ['instance'] }), legend: '{{instance}}' },
          ],
        },
        {
          kind: 'series',
          title: 'Starts in half an hour',
          says: 'How often the process of a guard began anew. More than one outside of a rollout: memory, a setting, or a probe that kills it.',
          unit: 'short',
          width: 5,
          queries: [
            {
              expr: `changes(process_start_time_seconds{namespace=~"$namespace",instance=~"$instance"}[30m]) and on (job, instance) ${chosen.value('postern_ready')}`,
              legend: '{{instance}}',
            },
          ],
          bands: { red: 3 },
        },
      ],
    },
  ],
}
