import type { Category } from '../core/finding.ts'
import type { Rule } from '../core/rule.ts'
import { floodRules } from './flood.ts'
import { injectionRules } from './injection.ts'
import { invisibleRules } from './invisible.ts'
import { personalDataRules } from './personal-data.ts'
import { secretRules } from './secrets.ts'

/** Rules of one category; ids are unique over all tables and never change their meaning. */
export interface Table {
  readonly category: Category
  readonly rules: Readonly<Record<string, Rule>>
}

export const tables: readonly Table[] = [
  { category: 'secret', rules: secretRules },
  { category: 'personal_data', rules: personalDataRules },
  { category: 'injection', rules: injectionRules },
  { category: 'invisible_text', rules: invisibleRules },
  { category: 'repetition', rules: floodRules },
]
