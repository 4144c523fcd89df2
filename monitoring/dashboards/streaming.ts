import { chosen, type Board } from './board.ts'

export const streaming: Board = {
  uid: 'postern-streaming',
  title: 'Streaming',
  says: 'What a reader of a streamed answer notices of the guard: the delay of the first token, text held back, streams cut.',
  rows: [
    {
      title: 'First token',
      panels: [
        {
          kind: 'heat',
          title: 'Added to the first token',
          says: 'From the arrival of the first token at the guard to its leaving. The wait for the model is not in it.',
          unit: 's',
          width: 12,
          queries: [{ expr: chosen.buckets('postern_first_token_added_seconds'), legend: '{{le}}' }],
        },
        {
          kind: 'series',
          title: 'Added to the first token, by route',
          says: 'Tens of milliseconds: an answer began with something that could have become a finding.',
          unit: 's',
          width: 12,
          queries: [
            {
              expr: chosen.quantile(0.5, 'postern_first_token_added_seconds', { by: ['route'] }),
              legend: '{{route}} p50',
            },
            {
              expr: chosen.quantile(0.99, 'postern_first_token_added_seconds', { by: ['route'] }),
              legend: '{{route}} p99',
            },
          ],
        },
      ],
    },
    {
      title: 'Held back',
      panels: [
        {
          kind: 'series',
          title: 'Most characters held back at once',
          says: 'Per stream. Text is held only while it may still become part of a finding that would be redacted or blocked.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: chosen.quantile(0.5, 'postern_held_characters', { by: ['route'] }),
              legend: '{{route}} p50',
            },
            {
              expr: chosen.quantile(0.99, 'postern_held_characters', { by: ['route'] }),
              legend: '{{route}} p99',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Streams',
          says: 'Guarded streams that ended, a second.',
          unit: 'ops',
          width: 6,
          queries: [
            { expr: chosen.observed('postern_held_characters', { by: ['route'] }), legend: '{{route}}' },
          ],
        },
        {
          kind: 'series',
          title: 'Cut and abandoned',
          says: 'cut: the guard stopped a stream. client_gone: the reader left. failed: the model or the guard did.',
          unit: 'reqps',
          width: 6,
          queries: [
            {
              expr: chosen.rate('postern_requests_total', {
                by: ['outcome'],
                where: { outcome: '=~"cut|client_gone|failed"' },
              }),
              legend: '{{outcome}}',
            },
          ],
        },
      ],
    },
  ],
}
