import { rulesOf } from '../findings.ts'
import { chosen, pushed, share, type Board } from './board.ts'

type Target = '="guarded"' | '="bare"'

const summed = (name: 'postern_sec_attacks' | 'postern_sec_successes', target: Target): string =>
  pushed.sum(name, { where: { target } })

const successRate = (target: Target): string =>
  share(summed('postern_sec_successes', target), summed('postern_sec_attacks', target))

/** Each tool by itself: tools mean different things by success. */
const successRateByTool = (target: Target): string =>
  share(
    pushed.sum('postern_sec_successes', { by: ['tool', 'model'], where: { target } }),
    pushed.sum('postern_sec_attacks', { by: ['tool', 'model'], where: { target } }),
  )

const familyRate = (target: Target): string =>
  share(
    pushed.sum('postern_sec_successes', { by: ['family'], where: { target } }),
    pushed.sum('postern_sec_attacks', { by: ['family'], where: { target } }),
  )

const prompts = (expected: 'attack' | 'benign', actual?: 'blocked' | 'allowed'): string =>
  pushed.sum('postern_sec_confusion', {
    where: {
      target: '="guarded"',
      expected: `="${expected}"`,
      ...(actual && { actual: `="${actual}"` }),
    },
  })

const replayed = (outcome?: 'allowed'): string =>
  pushed.sum('postern_sec_replayed', {
    where: { target: '="guarded"', ...(outcome && { outcome: `="${outcome}"` }) },
  })

export const redteam: Board = {
  uid: 'postern-redteam',
  title: 'Red team',
  says: 'What attacks achieve, with the guard and without it, run after run. The numbers are those that `postern-sec attack --push` sends to a Pushgateway, which keeps the last run of each tool and model: choose above of which.',
  choices: [
    { name: 'tool', label: 'Tool', values: 'label_values(postern_sec_run_timestamp_seconds, tool)' },
    { name: 'model', label: 'Model', values: 'label_values(postern_sec_run_timestamp_seconds, model)' },
  ],
  rows: [
    {
      title: 'Last run',
      panels: [
        {
          kind: 'stat',
          title: 'Last run against the guard',
          says: 'How long ago it ended. A guard that nobody attacks is a guard that nobody knows.',
          unit: 'dateTimeFromNow',
          width: 4,
          queries: [
            {
              expr: `1000 * max(${pushed.value('postern_sec_run_timestamp_seconds', { where: { target: '="guarded"' } })})`,
              legend: 'ended',
            },
          ],
        },
        {
          kind: 'stat',
          title: 'Jailbreak success, guarded',
          says: 'Share of the attacks of the last runs that got what they wanted past the guard.',
          unit: 'percentunit',
          width: 5,
          bands: { orange: 0.01, red: 0.05 },
          queries: [{ expr: successRate('="guarded"'), legend: 'guarded' }],
        },
        {
          kind: 'stat',
          title: 'Jailbreak success, bare',
          says: 'The same attacks at the same model without the guard. If this is low too, the attacks are weak and the number beside it says little.',
          unit: 'percentunit',
          width: 5,
          queries: [{ expr: successRate('="bare"'), legend: 'bare' }],
        },
        {
          kind: 'stat',
          title: 'Attacks blocked',
          says: 'Recall: of the prompts that are attacks, the share that was blocked, whether or not they would have worked.',
          unit: 'percentunit',
          width: 5,
          bands: { orange: 0.8, red: 0.95, lowIsBad: true },
          queries: [{ expr: share(prompts('attack', 'blocked'), prompts('attack')), legend: 'blocked' }],
        },
        {
          kind: 'stat',
          title: 'Benign prompts blocked',
          says: 'False positives: of the prompts that are no attacks, the share that was blocked. What people complain about.',
          unit: 'percentunit',
          width: 5,
          bands: { orange: 0.005, red: 0.02 },
          queries: [{ expr: share(prompts('benign', 'blocked'), prompts('benign')), legend: 'blocked' }],
        },
      ],
    },
    {
      title: 'Jailbreak success rate over time',
      panels: [
        {
          kind: 'series',
          title: 'Jailbreak success rate',
          says: 'Successes by attacks, run after run, of each tool: each judges success in its own way. The distance of its two lines is what the guard is worth.',
          unit: 'percentunit',
          width: 12,
          queries: [
            { expr: successRateByTool('="guarded"'), legend: 'guarded, {{tool}} {{model}}' },
            { expr: successRateByTool('="bare"'), legend: 'bare, {{tool}} {{model}}' },
          ],
        },
        {
          kind: 'series',
          title: 'By family, guarded',
          says: 'A family that rises after a change of policy, rules or model is a regression: replay its attacks.',
          unit: 'percentunit',
          width: 12,
          queries: [{ expr: familyRate('="guarded"'), legend: '{{family}}' }],
        },
        {
          kind: 'history',
          title: 'Jailbreak heatmap',
          says: 'Success rate by family over time, guarded. Green: under 1 %, orange: under 5 %, red: more.',
          unit: 'percentunit',
          width: 24,
          bands: { orange: 0.01, red: 0.05 },
          queries: [{ expr: familyRate('="guarded"'), legend: '{{family}}' }],
        },
      ],
    },
    {
      title: 'Where and how wrong',
      panels: [
        {
          kind: 'matrix',
          title: 'Confusion matrix',
          says: 'Prompts of the last runs: what they are, in rows, and what the guard did, in columns. Attack allowed is a miss, benign blocked a false positive.',
          unit: 'short',
          width: 8,
          axes: { row: 'expected', column: 'actual', value: 'Value' },
          queries: [
            {
              expr: pushed.sum('postern_sec_confusion', {
                by: ['expected', 'actual'],
                where: { target: '="guarded"' },
              }),
              legend: '',
            },
          ],
        },
        {
          kind: 'matrix',
          title: 'Success rate by family and target',
          says: 'Of the last runs. A family that works on the bare model and on the guarded one is a hole.',
          unit: 'percentunit',
          width: 8,
          axes: { row: 'family', column: 'target', value: 'Value' },
          queries: [
            {
              expr: share(
                pushed.sum('postern_sec_successes', { by: ['family', 'target'] }),
                pushed.sum('postern_sec_attacks', { by: ['family', 'target'] }),
              ),
              legend: '',
            },
          ],
        },
        {
          kind: 'table',
          title: 'Attacks by family',
          says: 'How many the last runs sent. A rate over a handful of attacks is an anecdote.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: `sort_desc(${pushed.sum('postern_sec_attacks', { by: ['family', 'target'] })})`,
              legend: '',
            },
          ],
        },
      ],
    },
    {
      title: 'Prompt-injection replay',
      panels: [
        {
          kind: 'stat',
          title: 'Replays that got through',
          says: 'Attacks that once succeeded, sent again in the last replay, and allowed again. Should be 0: each is a known hole.',
          unit: 'short',
          width: 6,
          bands: { red: 1 },
          queries: [{ expr: `${replayed('allowed')} or 0 * ${replayed()}`, legend: 'allowed' }],
        },
        {
          kind: 'series',
          title: 'Replayed attacks',
          says: 'By what happened to them. The sum grows with every success that a run records.',
          unit: 'short',
          width: 9,
          queries: [
            {
              expr: pushed.sum('postern_sec_replayed', { by: ['outcome'], where: { target: '="guarded"' } }),
              legend: '{{outcome}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'The same rules in real traffic',
          says: 'Findings of injection rules in requests, by rule: which of the replayed families people really send.',
          unit: 'ops',
          width: 9,
          queries: [
            {
              expr: `topk(10, ${chosen.rate('postern_findings_total', { by: ['rule'], where: { rule: rulesOf('injection'), direction: '="request"' } })})`,
              legend: '{{rule}}',
            },
          ],
        },
      ],
    },
  ],
}
