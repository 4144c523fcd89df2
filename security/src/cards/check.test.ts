import { expect, test } from '@jest/globals'
import { checkCard } from './check.ts'

const GOOD = `---
license: apache-2.0
base_model: org/base
datasets: [org/data]
language: [en]
model-index:
  - name: m
    results:
      - task: { type: text-generation }
        dataset: { name: d, type: d }
        metrics: [{ type: accuracy, value: 0.9 }]
---
# M

## Intended use
Orders.
## Limitations
Many.
## Training
30 GPU hours. Contact: security@example.com
`

const rulesIn = (text: string): readonly string[] => checkCard(text).map(({ rule }) => rule)

test('a complete card is quiet', () => {
  expect(rulesIn(GOOD)).toEqual([])
})

test.each([
  ['card-license', 'license: apache-2.0\n', ''],
  ['card-license', 'license: apache-2.0', 'license: other'],
  ['card-base-model', 'base_model: org/base\n', ''],
  ['card-datasets', 'datasets: [org/data]\n', ''],
  ['card-language', 'language: [en]\n', ''],
  ['card-model-index', 'metrics: [{ type: accuracy, value: 0.9 }]', 'metrics: [{ type: accuracy }]'],
  ['card-intended-use', '## Intended use', 'Orders'],
  ['card-limits', '## Limitations', 'Many'],
  ['card-training', '## Training', 'Trained'],
  ['card-contact', 'Contact: security@example.com', ''],
  ['card-compute', '30 GPU hours.', ''],
  ['card-placeholder', 'Many.', '[More Information Needed]'],
  ['card-remote-code', 'Many.', 'load(x, trust_remote_code=True)'],
  ['card-pickle', 'Many.', 'pytorch_model.bin'],
])('%s is found when %j becomes %j', (rule, from, to) => {
  const rules = rulesIn(GOOD.replace(from, to))
  expect(rules).toContain(rule)
})

test('a card without metadata says so', () => {
  expect(rulesIn('# A model\n')).toContain('card-front-matter')
})

test('a card without metadata is asked in its text', () => {
  const text = `${GOOD.slice(GOOD.indexOf('# M'))}Licence: MIT. English. Trained from scratch.\n## Data\nWeb.\n## Evaluation\n0.9\n`
  expect(rulesIn(text)).toEqual(['card-front-matter'])
  expect(rulesIn(text.replace('Licence: MIT.', ''))).toEqual(['card-front-matter', 'card-license'])
  expect(rulesIn(text.replace('## Evaluation', ''))).toEqual(['card-front-matter', 'card-metrics'])
})
