import type { Category } from '../core/finding.ts'
import { type Alphabet, alphabetOf, SKIP } from './alphabet.ts'
import { type Automaton, compileAutomaton } from './automaton.ts'
import { type Charset, has } from './charset.ts'
import { type Draft, draftsOf, naming, type RuleTable } from './drafts.ts'
import { allowedBeside, edgeOf, EDGES } from './edges.ts'
import { gateTable } from './gates.ts'
import type { Trigger } from './triggers.ts'
import { type Marks, marksOf } from './marks.ts'
import { charsetsOf } from './pattern.ts'
import { compileTriggers, type TriggerAutomaton } from './trie.ts'

/** An automaton of one rule: of its pattern, or of the prefix that leads to it. */
export interface Machine {
  readonly rule: string
  readonly category: Category
  readonly score: number
  readonly evidence: readonly string[]
  readonly check: ((found: string) => boolean) | undefined
  readonly leadMin: number
  readonly leadMax: number
  /** By class: whether it belongs to the lead. */
  readonly leads: Uint8Array
  readonly bounded: boolean
  /** Most characters that may stand before its trigger, and by class whether they can. */
  readonly headMax: number
  readonly heads: Uint8Array
}

/** Rules that read a text together, in one pass. */
export interface Program {
  readonly alphabet: Alphabet
  readonly triggers: TriggerAutomaton
  /** Text that is all ASCII can begin nothing here. */
  readonly beyondAscii: boolean
  readonly machines: readonly Machine[]
  /** All automata in one table; a state is the offset of its row, 0 is dead. The first column has the number of the row. */
  readonly next: Int32Array
  /** How many rows it has. */
  readonly rows: number
  /** By row offset. */
  readonly accepting: Uint8Array
  /** By machine. */
  readonly start: Int32Array
  /** By machine: for a prefix, the machine that begins where it ends, and its own texts are no findings; -1 for others. */
  readonly then: Int32Array
  /** By machine and class (`machine * alphabet.size + class`): column in the machine's rows; 0 where the view ignores the class. */
  readonly column: Uint8Array
  /** By machine and class: FREE, BLOCKING or SEPARATING. */
  readonly edge: Uint8Array
  /** By class: machines whose findings may begin before their trigger, with a character of the class. */
  readonly leading: readonly (readonly number[])[]
  /** Zero for each machine; shared, never written. */
  readonly noEnds: Int32Array
  readonly marks: Marks
}

/** One program for each way to read a text. Throws SyntaxError or RangeError, naming the rule, for what cannot be compiled. */
export const compilePrograms = (tables: readonly RuleTable[]): readonly Program[] => {
  const lanes = new Map<string, (readonly Draft[])[]>()
  for (const drafts of draftsOf([...tables, gateTable])) {
    const [{ view, triggers }] = drafts as readonly [Draft]
    const beyondAscii = view !== 'folded' && triggers.every(({ sets }) => (sets[0]?.[0]?.[0] ?? 0) > 127)
    const lane = `${view} ${beyondAscii}`
    lanes.set(lane, [...(lanes.get(lane) ?? []), drafts])
  }
  // Those that read every text come first, so that they can read it together.
  return ALWAYS_FIRST.flatMap((lane) => {
    const rules = lanes.get(lane)
    return rules === undefined ? [] : [compileProgram(rules.flat(), lane.endsWith('true'))]
  })
}

const ALWAYS_FIRST = ['plain false', 'folded false', 'raw false', 'plain true', 'raw true']

const compileProgram = (drafts: readonly Draft[], beyondAscii: boolean): Program => {
  const { view } = drafts[0] as Draft
  const sets = drafts.flatMap(({ pattern, lead }) => [...charsetsOf(pattern), lead])
  const alphabet = alphabetOf(view, [...sets, ...EDGES, [[32, 32]]])
  const machines = drafts.map((draft) => machineOf(draft, alphabet))
  const layout = layOut(drafts, alphabet)
  const triggers = drafts.flatMap((draft, machine) =>
    draft.triggers.map((trigger) => ({
      ...trigger,
      machine,
      leads: draft.lead.length > 0,
      state: stateBehind(trigger, { ...layout, alphabet, machine }),
      after: beyondAscii ? undefined : afterOf(draft, trigger),
    })),
  )
  return {
    alphabet,
    triggers: compileTriggers(triggers, alphabet),
    beyondAscii,
    machines,
    ...layout,
    edge: byMachine(
      drafts,
      alphabet,
      ({ rule }) =>
        (cls) =>
          edgeOf(rule.bounds, alphabet.codes[cls] as number),
    ),
    then: Int32Array.from(drafts, ({ part }, at) => (part === 'prefix' ? at + 1 : -1)),
    leading: alphabet.codes.map((_, cls) =>
      [...machines.keys()].filter((at) => mayLead(machines[at] as Machine, cls)),
    ),
    noEnds: new Int32Array(machines.length),
  }
}

/** What must stand before a trigger whose finding begins with it. The rest of the bounds is looked at when it is seen. */
const afterOf = ({ rule, part, lead }: Draft, { head }: Trigger): Charset | undefined => {
  if (part === 'prefix' || head.length > 0) return undefined
  if (lead.length === 0) return allowedBeside(rule.bounds)
  return (rule.lead?.min ?? 0) > 0 ? lead : undefined
}

/**
 * The one state that a machine is in behind a trigger, whichever of its characters were seen; -1 when there are several.
 * What stands before a trigger is not seen with it, so behind a head there is none.
 */
const stateBehind = (
  { head, sets }: Trigger,
  {
    next,
    start,
    column,
    alphabet,
    machine,
  }: Pick<Program, 'next' | 'start' | 'column' | 'alphabet'> & { machine: number },
): number => {
  if (head.length > 0) return -1
  let state = start[machine] as number
  for (const set of sets) {
    const columns = new Set<number>()
    alphabet.codes.forEach((code, cls) => {
      if (cls > SKIP && has(set, code)) columns.add(column[machine * alphabet.size + cls] as number)
    })
    const [only] = columns
    if (columns.size !== 1 || only === undefined) return -1
    state = next[state + only] as number
  }
  return state
}

const mayLead = ({ leads, heads }: Machine, cls: number): boolean => leads[cls] === 1 || heads[cls] === 1

const machineOf = ({ name, category, rule, lead, part, triggers }: Draft, alphabet: Alphabet): Machine => {
  const heads = triggers.flatMap(({ head }) => head)
  return {
    rule: name,
    category,
    score: rule.score ?? 1,
    evidence: rule.check === undefined || rule.evidence === undefined ? [] : [rule.evidence],
    check: part === 'prefix' ? undefined : rule.check,
    leadMin: rule.lead?.min ?? 0,
    leadMax: rule.lead?.max ?? 0,
    leads: byClass(alphabet, (cls) => Number(has(lead, alphabet.codes[cls] as number))),
    bounded: part === 'whole' && rule.bounds !== 'none',
    headMax: Math.max(0, ...triggers.map(({ head }) => head.length)),
    heads: byClass(alphabet, (cls) => Number(heads.some((set) => has(set, alphabet.codes[cls] as number)))),
  }
}

/** A value for each class that the view shows; 0 for the others. */
const byClass = ({ size }: Alphabet, value: (cls: number) => number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, cls) => (cls > SKIP ? value(cls) : 0))

const byMachine = (
  drafts: readonly Draft[],
  alphabet: Alphabet,
  value: (draft: Draft, at: number) => (cls: number) => number,
): Uint8Array => {
  const table = new Uint8Array(drafts.length * alphabet.size)
  drafts.forEach((draft, at) => table.set(byClass(alphabet, value(draft, at)), at * alphabet.size))
  return table
}

const layOut = (drafts: readonly Draft[], alphabet: Alphabet) => {
  const automata = drafts.map(({ name, pattern }) =>
    naming(name, () => compileAutomaton(pattern, alphabet.codes)),
  )
  const widest = Math.max(1, ...automata.map(({ width }) => width))
  const length = automata.reduce((sum, { next }) => sum + next.length, widest)
  const next = new Int32Array(length)
  const accepting = new Uint8Array(length)
  const start = new Int32Array(drafts.length)
  let base = widest
  let rows = 1
  automata.forEach((automaton, at) => {
    // Row 0 of each automaton is its dead state: all share row 0 of the table, which nothing leaves.
    automaton.next.forEach(
      (state, cell) => (next[base + cell] = state === 0 ? 0 : base + state * automaton.width),
    )
    automaton.accepting.forEach((accepts, state) => {
      next[base + state * automaton.width] = rows++
      accepting[base + state * automaton.width] = accepts
    })
    start[at] = base + automaton.width
    base += automaton.next.length
  })
  const column = byMachine(
    drafts,
    alphabet,
    (_, at) => (cls) => (automata[at] as Automaton).columnOf[cls] as number,
  )
  return { next, rows, accepting, start, column, marks: marksOf(rows) }
}
