import type { Alert, Group, Recording } from './rule.ts'

/** Where the runbooks are read; a fork points it at its own. */
const RUNBOOKS = 'https://github.com/postern/postern/blob/main/monitoring/runbooks'

export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly object[] }[]
}

/** The body of a Prometheus rule file, which is also `spec` of a PrometheusRule. */
export const ruleFile = (groups: readonly Group[]): RuleFile => ({
  groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(ruleOf) })),
})

const ruleOf = (rule: Alert | Recording): object => {
  if ('record' in rule)
    return { record: rule.record, expr: rule.expr, ...(rule.labels && { labels: rule.labels }) }
  const { alert, expr, severity, summary } = rule
  return {
    alert,
    expr,
    ...(rule.for !== '0m' && { for: rule.for }),
    labels: { severity, service: 'postern' },
    annotations: { summary, runbook_url: `${RUNBOOKS}/${alert}.md` },
  }
}
