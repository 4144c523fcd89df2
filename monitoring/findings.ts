import { outputRules } from '../proxy/src/compose/scanner.ts'
import { categories, type Category } from '../proxy/src/core/finding.ts'
import { tables } from '../proxy/src/scanners/tables.ts'

const byCategory = new Map<Category, readonly string[]>(
  categories.map((category) => [
    category,
    [
      ...tables.flatMap((table) => (table.category === category ? Object.keys(table.rules) : [])),
      ...[...outputRules].flatMap(([rule, of]) => (of === category ? [rule] : [])),
    ],
  ]),
)

/**
 * Matches the rules of one category: `postern_findings_total` has the rule only. Secrets are what no other category has, so
 * that the longest list need not be written out.
 */
export const rulesOf = (category: Category): string => {
  if (category !== 'secret') return `=~"${(byCategory.get(category) ?? []).join('|')}"`
  const others = [...byCategory].flatMap(([other, rules]) => (other === 'secret' ? [] : rules))
  return `!~"${others.join('|')}|other"`
}
