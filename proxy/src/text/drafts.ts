import type { Category } from '../core/finding.ts'
import type { Rule } from '../core/rule.ts'
import { type Charset } from './charset.ts'
import { charsetsOf, type Pattern, parsePattern } from './pattern.ts'
import { readAs, type View } from './reading.ts'
import { type Trigger, triggersOf } from './triggers.ts'

export interface RuleTable {
  readonly category: Category
  readonly rules: Readonly<Record<string, Rule>>
}

/** A rule, or the prefix that leads to it, parsed. */
export interface Draft {
  readonly name: string
  readonly category: Category
  readonly rule: Rule
  readonly view: View
  readonly pattern: Pattern
  readonly lead: Charset
  /** Empty for what begins where its prefix ends. */
  readonly triggers: readonly Trigger[]
  readonly part: 'whole' | 'prefix' | 'rest'
}

/** A rule as one draft, or as two: its prefix, then the rest. Throws SyntaxError or RangeError that names the rule. */
export const draftsOf = (tables: readonly RuleTable[]): readonly (readonly Draft[])[] => {
  const seen = new Set<string>()
  return tables.flatMap(({ category, rules }) =>
    Object.entries(rules).map(([name, rule]) => {
      if (seen.has(name)) throw new RangeError(`rule ${name} is there twice`)
      seen.add(name)
      return naming(name, () => draft({ name, category, rule }))
    }),
  )
}

/** Runs a part of compiling a rule so that its errors name the rule. */
export const naming = <Made>(name: string, make: () => Made): Made => {
  try {
    return make()
  } catch (cause) {
    const Kind = cause instanceof RangeError ? RangeError : SyntaxError
    throw new Kind(`rule ${name}: ${cause instanceof Error ? cause.message : 'cannot be compiled'}`, {
      cause,
    })
  }
}

const MOST_LEAD = 128

const draft = ({ name, category, rule }: Pick<Draft, 'name' | 'category' | 'rule'>): readonly Draft[] => {
  const ignoreCase = rule.ignoreCase ?? false
  const parse = (written: string): Pattern => parsePattern(written, { ignoreCase })
  const written = [rule.pattern, rule.prefix, rule.lead?.class]
    .filter((part) => part !== undefined)
    .map(parse)
  // What is all ASCII reads the same in both views, and the plain one is read anyway.
  const view = rule.view === 'raw' && written.every(isAscii) ? 'plain' : (rule.view ?? 'plain')
  const pattern = readAs(parse(rule.pattern), view)
  const own = { name, category, rule, view, pattern, lead: [] }
  const triggers = (of: Pattern) => triggersOf(of, view === 'folded')
  if (rule.prefix === undefined)
    return [{ ...own, lead: leadOf(rule, parse), triggers: triggers(pattern), part: 'whole' }]
  if (rule.lead !== undefined) throw new SyntaxError('prefix or lead, not both')
  const prefix = readAs(parse(rule.prefix), view)
  return [
    { ...own, pattern: prefix, triggers: triggers(prefix), part: 'prefix' },
    { ...own, triggers: [], part: 'rest' },
  ]
}

const leadOf = ({ lead }: Rule, parse: (written: string) => Pattern): Charset => {
  if (lead === undefined) return []
  if (lead.max > MOST_LEAD) throw new RangeError(`a lead is at most ${MOST_LEAD} characters`)
  const pattern = parse(lead.class)
  const inner = pattern.kind === 'sequence' && pattern.items.length === 1 ? pattern.items[0] : pattern
  if (inner?.kind !== 'set') throw new SyntaxError('a lead is one class')
  return inner.set
}

const isAscii = (pattern: Pattern): boolean =>
  charsetsOf(pattern).every((set) => set.every(([, to]) => to < 128))
