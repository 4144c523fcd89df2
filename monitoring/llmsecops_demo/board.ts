import type { Board, Panel } from '../dashboards/board.ts'

/** The labels under which show.ts puts the session into Loki. */
export const LABELS = {
  app: 'postern',
  stream: 'audit',
  namespace: 'llmsecops-demo',
  pod: 'red-team',
} as const

const records = (members: Readonly<Record<string, string>>): string =>
  `{app="postern",stream="audit",namespace="${LABELS.namespace}"} | json ${Object.entries(members)
    .map(([label, path]) => `${label}="${path}"`)
    .join(', ')}`

const counted = (by: readonly string[], query: string): string =>
  `sum by (${by.join(', ')}) (count_over_time(${query} [$__range]))`

const table = (title: string, says: string, expr: string): Panel => ({
  kind: 'table',
  title,
  says,
  unit: 'short',
  width: 12,
  queries: [{ expr, legend: '', from: 'loki' }],
})

export const demo: Board = {
  uid: 'postern-llmsecops-demo',
  title: 'Red-team session (demo)',
  says: 'The recorded session of monitoring/llmsecops_demo: one caller tries the same attack in many shapes, between ordinary work of others.',
  rows: [
    {
      title: 'The session',
      panels: [
        {
          kind: 'stack',
          title: 'Exchanges by outcome',
          says: 'Refusals come in a burst; watch what is allowed in between.',
          unit: 'short',
          width: 24,
          queries: [
            {
              expr: `sum by (outcome) (count_over_time(${records({ outcome: 'outcome' })} [$__interval]))`,
              legend: '{{outcome}}',
              from: 'loki',
            },
          ],
        },
        {
          kind: 'matrix',
          title: 'Callers and outcomes',
          says: 'One of them is refused far more than the others.',
          unit: 'short',
          width: 12,
          axes: { row: 'subject', column: 'outcome', value: 'Value #A' },
          queries: [
            {
              expr: counted(
                ['subject', 'outcome'],
                records({ subject: 'caller.subject', outcome: 'outcome' }),
              ),
              legend: '',
              from: 'loki',
            },
          ],
        },
        table(
          'Rules',
          'The first finding of each exchange: which phrases were tried, and what was done.',
          counted(
            ['rule', 'action'],
            `${records({ rule: 'findings[0].rule', action: 'findings[0].action' })} | rule!=""`,
          ),
        ),
        table(
          'Where the text came from',
          'Paths of findings: a message of a person, or the answer of a tool, which is indirect injection.',
          counted(['path'], `${records({ path: 'findings[0].path' })} | path!=""`),
        ),
        table(
          'The same text again',
          'Hashes of the first text, of exchanges with findings. A hash that returns is a campaign, or a colleague who asks what this is.',
          `topk(10, ${counted(['text'], `${records({ text: 'texts[0].sha256', rule: 'findings[0].rule' })} | rule!=""`)})`,
        ),
        {
          kind: 'logs',
          title: 'Records with findings',
          says: 'What an auditor has: who, when, which rule, where, what was done. No text.',
          unit: 'none',
          width: 24,
          queries: [
            { expr: `${records({ rule: 'findings[0].rule' })} | rule!=""`, legend: '', from: 'loki' },
          ],
        },
      ],
    },
  ],
}
