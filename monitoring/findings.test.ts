import { expect, test } from '@jest/globals'
import { defaultScanner, outputRules } from '../proxy/src/compose/scanner.ts'
import { categories } from '../proxy/src/core/finding.ts'
import { rulesOf } from './findings.ts'

/** As Prometheus matches a label: the whole of it. */
const fits = (matcher: string, value: string): boolean => {
  const [, sign = '', pattern = ''] = /^(=~|!~)"(.*)"$/.exec(matcher) ?? []
  return new RegExp(`^(?:${pattern})$`).test(value) === (sign === '=~')
}

test('every rule that the guard counts belongs to its own category and to no other', () => {
  const rules = [...defaultScanner().rules, ...outputRules]
  expect(new Set(rules.map(([, category]) => category))).toEqual(new Set(categories))
  for (const [rule, category] of rules)
    expect([rule, categories.filter((one) => fits(rulesOf(one), rule))]).toEqual([rule, [category]])
})
