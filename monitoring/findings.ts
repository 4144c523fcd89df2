import { tables } from '../proxy/src/scanners/tables.ts'

type Category = (typeof tables)[number]['category']

const idsOf = (category: Category): readonly string[] =>
  tables.filter((table) => table.category === category).flatMap(({ rules }) => Object.keys(rules))

/**
 * Matches the rules of one category: `postern_findings_total` has the rule only. Secrets are what no other table has, so
 * that the longest list need not be written out.
 */
export const rulesOf = (category: Category): string =>
  category === 'secret'
    ? `!~"${tables.flatMap((table) => (table.category === 'secret' ? [] : Object.keys(table.rules))).join('|')}|other"`
    : `=~"${idsOf(category).join('|')}"`

export const categories: readonly Category[] = tables.map(({ category }) => category)
