import { perNamespace, type Group } from './rule.ts'

const failed = perNamespace.rate('postern_respond_fetches_total', {
  where: { result: '="failed"' },
  over: '10m',
})
const fetched = perNamespace.rate('postern_respond_fetches_total', {
  where: { result: '!="failed"' },
  over: '10m',
})

export const respond: readonly Group[] = [
  {
    name: 'postern-respond',
    rules: [
      {
        alert: 'PosternQuarantined',
        expr: `${perNamespace.sum('postern_respond_active', { where: { kind: '="quarantine"' } })} > 0`,
        for: '0m',
        severity: 'page',
        summary:
          'In {{ $labels.namespace }}, {{ $value }} guards answer nothing, because of a response to a threat.',
      },
      {
        alert: 'PosternOrdersNotFollowed',
        expr: `(${failed}) > 0 unless (${fetched}) > 0`,
        for: '10m',
        severity: 'ticket',
        summary:
          'In {{ $labels.namespace }}, guards cannot ask the controller which responses to threats are in force; they go on with what they knew.',
      },
    ],
  },
]
