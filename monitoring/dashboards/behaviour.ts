import { audited, chosen, shown, share, type Board } from './board.ts'

export const behaviour: Board = {
  uid: 'postern-behaviour',
  title: 'Output entropy and drift',
  says: 'Whether models still answer as they did when the baseline was frozen, whom they treat differently, and who calls which tool. Language and refusals of models are guesses.',
  rows: [
    {
      title: 'How sure the model is',
      panels: [
        {
          kind: 'heat',
          title: 'Entropy of answers',
          says: 'Mean entropy of the next token over an answer, in bits: a lower bound from the alternatives that the model server gives. A band that moves up is a model that guesses more: another version, another sampling, or prompts it does not know.',
          unit: 'suffix: bits',
          width: 12,
          queries: [{ expr: chosen.buckets('postern_behaviour_entropy_bits', { by: [] }), legend: '{{le}}' }],
        },
        {
          kind: 'series',
          title: 'Entropy by model',
          says: 'Mean, and the highest of one token in one answer of twenty. Only answers whose request asked for probabilities count.',
          unit: 'suffix: bits',
          width: 6,
          queries: [
            {
              expr: chosen.mean('postern_behaviour_entropy_bits', { by: ['model'] }),
              legend: '{{model}} mean',
            },
            {
              expr: chosen.quantile(0.95, 'postern_behaviour_entropy_max_bits', { by: ['model'] }),
              legend: '{{model}} highest, p95',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Above the entropy threshold',
          says: 'Share of the answers with probabilities that were flagged entropy_high.',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: share(
                chosen.rate('postern_behaviour_flags_total', { where: { flag: '="entropy_high"' } }),
                chosen.observed('postern_behaviour_entropy_bits'),
              ),
              legend: 'flagged',
            },
          ],
          bands: { orange: 0.1, red: 0.3 },
        },
      ],
    },
    {
      title: 'Drift from the baseline',
      panels: [
        {
          kind: 'stat',
          title: 'Features that shifted',
          says: 'Models, tenants and features whose last window has a PSI above 0.25 that chance does not explain.',
          unit: 'none',
          width: 4,
          queries: [{ expr: `sum(${chosen.value('postern_behaviour_drifted')})`, legend: 'shifted' }],
          bands: { red: 1 },
        },
        {
          kind: 'stat',
          title: 'Age of the baseline',
          says: 'Since the baseline in use was frozen. Nothing here: there is none, and drift is not measured.',
          unit: 's',
          width: 4,
          queries: [
            {
              expr: `time() - max(${chosen.value('postern_behaviour_baseline_timestamp_seconds')} > 0)`,
              legend: 'age',
            },
          ],
          bands: { orange: 90 * 86_400 },
        },
        {
          kind: 'series',
          title: 'Population stability index',
          says: 'Of each window against the baseline: below 0.1 nothing changed, above 0.25 it is another population. Small windows go higher by chance; the alert knows.',
          unit: 'none',
          width: 16,
          queries: [
            {
              expr: `max by (model, tenant, feature) (${chosen.value('postern_behaviour_drift_psi')})`,
              legend: '{{model}} {{tenant}} {{feature}}',
            },
          ],
          bands: { orange: 0.1, red: 0.25 },
        },
        {
          kind: 'stack',
          title: 'Changes of a mean',
          says: 'Lasting changes that the Page-Hinkley test found, in the window shown: they come before a window closes. One guard sees only its own traffic.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: chosen.increase('postern_behaviour_changes_total', {
                by: ['model', 'feature', 'direction'],
              }),
              legend: '{{model}} {{feature}} {{direction}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Length of answers',
          says: 'Median and 95th percentile, in UTF-16 units.',
          unit: 'short',
          width: 8,
          queries: [
            {
              expr: chosen.quantile(0.5, 'postern_behaviour_answer_characters', { by: ['model'] }),
              legend: '{{model}} p50',
            },
            {
              expr: chosen.quantile(0.95, 'postern_behaviour_answer_characters', { by: ['model'] }),
              legend: '{{model}} p95',
            },
          ],
        },
        {
          kind: 'series',
          title: 'The model says no',
          says: 'Share of answers that open like a refusal of the model itself, by a list of phrases. Of a public set of labelled refusals it finds four in five; 97 of 100 it finds are refusals.',
          unit: 'percentunit',
          width: 8,
          queries: [
            {
              expr: share(
                chosen.rate('postern_behaviour_answers_total', {
                  by: ['model'],
                  where: { result: '="declined"' },
                }),
                chosen.rate('postern_behaviour_answers_total', { by: ['model'] }),
              ),
              legend: '{{model}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Kolmogorov-Smirnov, p-value',
          says: 'Of lengths and entropies. Tiny values with a small PSI are real but small changes: with enough traffic everything is significant.',
          unit: 'none',
          width: 12,
          queries: [
            {
              expr: `min by (model, tenant, feature) (${chosen.value('postern_behaviour_drift_p_value')})`,
              legend: '{{model}} {{tenant}} {{feature}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Languages of answers',
          says: 'Guessed from script and common words. `und`: code, short answers, mixed ones.',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_behaviour_answers_total', { by: ['language'] }),
              legend: '{{language}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Who calls which tool',
      panels: [
        {
          kind: 'matrix',
          title: 'Tool calls by role',
          says: 'Calls in the time shown, by the first role of the caller. Only declared roles and tools have a name here; the rest is `other`.',
          unit: 'short',
          width: 12,
          axes: { row: 'role', column: 'tool', value: 'Value' },
          queries: [
            {
              expr: shown.increase('postern_behaviour_tool_calls_total', { by: ['role', 'tool'] }),
              legend: '',
            },
          ],
        },
        {
          kind: 'matrix',
          title: 'Tool calls by user',
          says: 'From the audit log in Loki: exchanges by caller and the first tool that the model called in them. A caller in a column of its own does what nobody else does. * and ? stand for names that could be a text.',
          unit: 'short',
          width: 12,
          axes: { row: 'subject', column: 'tool', value: 'Value #A' },
          queries: [
            {
              expr: `topk(200, sum by (subject, tool) (count_over_time(${audited({ subject: 'caller.subject', tool: 'tools[0]' }, 'tool!=""', ['"tools":['])} [$__range])))`,
              legend: '',
              from: 'loki',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Tools out of band',
          says: 'Calls of tools that the request did not offer, and tools and arguments that this caller or role never used before. The first of these should be 0.',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_behaviour_flags_total', {
                by: ['flag'],
                where: { flag: '=~"tool_.*|argument_new"' },
              }),
              legend: '{{flag}}',
            },
          ],
        },
        {
          kind: 'stack',
          title: 'Callers, addresses and roles out of the ordinary',
          says: 'Against their own past: rates, bursts of refusals, known callers from a new address. Each at most once a minute; the audit log says who.',
          unit: 'ops',
          width: 12,
          queries: [
            {
              expr: chosen.rate('postern_behaviour_flags_total', {
                by: ['flag'],
                where: { flag: '=~"(rate|refusals|address)_.*"' },
              }),
              legend: '{{flag}}',
            },
          ],
        },
        {
          kind: 'series',
          title: 'Pasts kept in memory',
          says: 'Callers, addresses and roles. At the bound, those not seen for long are forgotten, and look new when they return.',
          unit: 'short',
          width: 12,
          queries: [
            {
              expr: `sum by (kind) (${chosen.value('postern_behaviour_tracked')})`,
              legend: '{{kind}} kept',
            },
            {
              expr: `sum by (kind) (${chosen.value('postern_behaviour_forgotten')})`,
              legend: '{{kind}} forgotten',
            },
          ],
        },
      ],
    },
    {
      title: 'Are groups treated alike?',
      panels: [
        {
          kind: 'series',
          title: 'Favourable outcomes by group',
          says: 'Of each group that was declared, by those of the group that fares best. Below 0.8 the four-fifths rule speaks of adverse impact. It says that outcomes differ, not why.',
          unit: 'none',
          width: 16,
          queries: [
            {
              expr: `min by (dimension, group, outcome) (${chosen.value('postern_behaviour_disparity_ratio')})`,
              legend: '{{dimension}} {{group}} {{outcome}}',
            },
          ],
          bands: { orange: 0.8, red: 0.9, lowIsBad: true },
        },
        {
          kind: 'table',
          title: 'Could it be chance?',
          says: 'p-values of the tests behind the ratios. An alert needs a ratio below 0.8 and p below 0.01.',
          unit: 'none',
          width: 8,
          queries: [
            {
              expr: `sort(min by (dimension, group, outcome) (${chosen.value('postern_behaviour_disparity_p_value')}))`,
              legend: '',
            },
          ],
        },
      ],
    },
  ],
}
