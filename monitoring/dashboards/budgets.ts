import { audited, chosen, shown, type Board } from './board.ts'

/** Of a million tokens; what providers ask differs by model and changes. */
const PRICES = [
  { name: 'price_input', label: 'Price of 1M input tokens', preset: '0.15' },
  { name: 'price_output', label: 'Price of 1M output tokens', preset: '0.60' },
] as const

const cost = (kind: 'input' | 'output'): string =>
  `sum by (model) (increase(${chosen.counter('postern_tokens_total', { where: { kind: `="${kind}"` } })}[$__range])) * $price_${kind} / 1e6`

const tokensBy = (label: string, path: string, kind: 'input' | 'output'): string =>
  `topk(20, sum by (${label}) (sum_over_time(${audited({ [label]: path, tokens: `tokens.${kind}` }, 'tokens!=""')} | unwrap tokens [$__range])))`

const LIMITED = '=~"rate_limited|budget_spent"'

export const budgets: Board = {
  uid: 'postern-budgets',
  title: 'Cost and budgets',
  says: 'Tokens used, who is held back by limits, and whether limits are counted together.',
  numbers: PRICES,
  rows: [
    {
      title: 'Tokens',
      panels: [
        {
          kind: 'stat',
          title: 'Input tokens',
          says: 'Counted in the time shown.',
          unit: 'short',
          width: 4,
          queries: [
            {
              expr: shown.increase('postern_tokens_total', { where: { kind: '="input"' } }),
              legend: 'input',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Output tokens',
          says: 'In the time shown. They cost several times the input at most providers.',
          unit: 'short',
          width: 4,
          queries: [
            {
              expr: shown.increase('postern_tokens_total', { where: { kind: '="output"' } }),
              legend: 'output',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Tokens a second',
          says: 'By model and kind, as the model server counted them; estimated where it did not say.',
          unit: 'short',
          width: 16,
          queries: [
            {
              expr: chosen.rate('postern_tokens_total', { by: ['model', 'kind'] }),
              legend: '{{model}} {{kind}}',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Tokens by model',
          says: 'Counted in the time shown.',
          unit: 'short',
          width: 12,
          queries: [{ expr: shown.increase('postern_tokens_total', { by: ['model', 'kind'] }), legend: '' }],
        },
        {
          kind: 'series',
          title: 'Output tokens an exchange',
          says: 'Mean. A rise without a change of the model means longer answers, and cost.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `${chosen.rate('postern_tokens_total', { where: { kind: '="output"' } })} / (${chosen.rate('postern_requests_total', { where: { outcome: '=~"allowed|redacted|cut"' } })} > 0)`,
              legend: 'tokens',
            },
          ],
        },
      ],
    },
    {
      title: 'Cost',
      panels: [
        {
          kind: 'stat',
          title: 'Cost',
          says: 'Of the tokens in the time shown, at the two prices above, in whatever currency they are. An estimate: no discounts, no cached tokens.',
          unit: 'none',
          width: 6,
          queries: [
            {
              expr: `(sum(${cost('input')}) or vector(0)) + (sum(${cost('output')}) or vector(0))`,
              legend: 'cost',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Cost by model',
          says: 'In the time shown, at the two prices above: type those of the model you look at.',
          unit: 'none',
          width: 6,
          queries: [{ expr: `(${cost('input')}) + (${cost('output')})`, legend: '' }],
        },
        {
          kind: 'table',
          title: 'Output tokens by tenant',
          says: 'From the audit log in Loki, in the time shown: who to send the bill to.',
          unit: 'short',
          width: 6,
          queries: [{ expr: tokensBy('tenant', 'caller.tenant', 'output'), legend: '', from: 'loki' }],
        },
        {
          kind: 'table',
          title: 'Output tokens by caller',
          says: 'From the audit log in Loki, in the time shown: the twenty who use most.',
          unit: 'short',
          width: 6,
          queries: [{ expr: tokensBy('subject', 'caller.subject', 'output'), legend: '', from: 'loki' }],
        },
      ],
    },
    {
      title: 'Limits',
      panels: [
        {
          kind: 'stack',
          title: 'Held back by limits',
          says: 'rate_limited: too many requests at once or a minute. budget_spent: the token budget. Who: Access and abuse.',
          unit: 'reqps',
          width: 8,
          queries: [
            {
              expr: chosen.rate('postern_refusals_total', {
                by: ['route', 'code'],
                where: { code: LIMITED },
              }),
              legend: '{{route}} {{code}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Limits counted by this guard alone',
          says: 'Requests a second limited locally because the shared store failed: callers may get a multiple of their limits.',
          unit: 'reqps',
          width: 8,
          queries: [{ expr: chosen.rate('postern_limiter_fallback_total'), legend: 'local' }],
          bands: { red: 0.001 },
        },
        {
          kind: 'series',
          title: 'Keys in memory',
          says: 'Callers, tenants and models that are counted at present. A fast rise is somebody with many identities.',
          unit: 'short',
          width: 8,
          queries: [
            { expr: chosen.sum('postern_limiter_keys', { by: ['instance'] }), legend: '{{instance}}' },
          ],
        },
      ],
    },
  ],
}
