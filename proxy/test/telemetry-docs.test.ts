import { expect, test } from '@jest/globals'
import { genAiMetrics } from '../src/core/gen-ai-metrics.ts'
import {
  factNames,
  genAiLabelNames,
  genAiMetricNames,
  momentNames,
  providerNames,
  spanNames,
} from '../src/telemetry/semconv.ts'
import { textOf } from './docs.ts'

const doc = textOf('proxy/docs/telemetry.md')
/** What stands in backquotes in the first cell of a table row. */
const rows = new Set([...doc.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name))

test('the document lists every span attribute, event, metric and label of the table, and no other', () => {
  const names = [
    ...Object.values(factNames),
    ...Object.values(spanNames),
    ...Object.values(momentNames),
    ...Object.values(providerNames).flat(),
    ...Object.values(genAiMetricNames).map(({ name }) => name),
    ...Object.values(genAiLabelNames),
  ]
  expect([...rows].sort()).toEqual([...new Set(names)].sort())
})

test('the document says what each metric of the conventions is called at the admin port', () => {
  for (const name of Object.keys(genAiMetrics)) expect(doc).toContain(`\`${name}\``)
})
