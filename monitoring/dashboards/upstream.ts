import { chosen, type Board } from './board.ts'

export const upstream: Board = {
  uid: 'postern-upstream',
  title: 'Upstream',
  says: 'The model servers behind the guard: do they answer, how fast, and is a circuit open?',
  rows: [
    {
      title: 'Health',
      panels: [
        {
          kind: 'stat',
          title: 'Takes requests',
          says: 'Per upstream, the worst guard. "Open": the guard stopped calling it after failures, and tries again in at most 30 s.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: `min by (upstream) (${chosen.value('postern_upstream_healthy')})`,
              legend: '{{upstream}}',
            },
          ],
          bands: { lowIsBad: true, red: 1 },
          words: { 0: 'Open', 1: 'Closed' },
        },
        {
          kind: 'stack',
          title: 'Attempts by result',
          says: 'refused: answered 4xx or 5xx. saturated: no free connection. invalid: an answer that cannot be inspected. aborted: the client left, or policy stopped it.',
          unit: 'reqps',
          width: 16,
          queries: [
            {
              expr: chosen.rate('postern_upstream_requests_total', { by: ['upstream', 'result'] }),
              legend: '{{upstream}} {{result}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Time',
      panels: [
        {
          kind: 'series',
          title: 'To response headers',
          says: 'From sending a request to its response headers. Without streaming, this is the whole answer.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: chosen.quantile(0.5, 'postern_upstream_seconds', { by: ['upstream'] }),
              legend: '{{upstream}} p50',
            },
            {
              expr: chosen.quantile(0.95, 'postern_upstream_seconds', { by: ['upstream'] }),
              legend: '{{upstream}} p95',
            },
          ],
        },
        {
          kind: 'heat',
          title: 'To response headers, all',
          says: 'Two bands are two kinds of work, or one slow replica.',
          unit: 's',
          width: 12,
          queries: [{ expr: chosen.buckets('postern_upstream_seconds'), legend: '{{le}}' }],
        },
      ],
    },
    {
      title: 'What clients saw of it',
      panels: [
        {
          kind: 'stack',
          title: 'Refusals because of the model server',
          says: 'model_unavailable, model_timeout, model_answer_invalid and model_refused.',
          unit: 'reqps',
          width: 24,
          queries: [
            {
              expr: chosen.rate('postern_refusals_total', {
                by: ['code'],
                where: { code: '=~"model_(unavailable|timeout|answer_invalid|refused)"' },
              }),
              legend: '{{code}}',
            },
          ],
        },
      ],
    },
  ],
}
