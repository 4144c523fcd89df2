import { hash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { openAlphabet, type AlphabetData } from './alphabet.ts'
import type { RuleTable } from './drafts.ts'
import { gateTable } from './gates.ts'
import { marksOf } from './marks.ts'
import type { Machine, Program } from './program.ts'
import { openTriggers, type TriggerData } from './trie.ts'

/** Compiled programs as bytes, for a build to keep: opening them takes milliseconds where compiling takes a second and much memory. */
export const freezePrograms = (programs: readonly Program[], tables: readonly RuleTable[]): Buffer => {
  const frozen: Frozen = { key: keyOf(tables), programs: programs.map(freeze) }
  return serialize(frozen)
}

/** Undefined when the bytes are of other rules or of another Node: then the rules must be compiled. */
export const thawPrograms = (
  bytes: Uint8Array,
  tables: readonly RuleTable[],
): readonly Program[] | undefined => {
  try {
    const frozen = deserialize(bytes) as Frozen
    return frozen.key === keyOf(tables) ? frozen.programs.map((one) => thaw(one, tables)) : undefined
  } catch {
    return undefined
  }
}

interface Frozen {
  readonly key: string
  readonly programs: readonly FrozenProgram[]
}

type FrozenProgram = Omit<Program, 'alphabet' | 'triggers' | 'machines' | 'marks'> & {
  readonly alphabet: AlphabetData
  readonly triggers: TriggerData
  readonly machines: readonly FrozenMachine[]
}

type FrozenMachine = Omit<Machine, 'check'> & { readonly checked: boolean }

/** The format is that of the running V8, and the rules without their functions. */
const keyOf = (tables: readonly RuleTable[]): string =>
  `3 ${process.versions.v8} ${hash('sha256', JSON.stringify([tables, gateTable]))}`

/** Functions cannot be stored; each is made again from what is. */
const freeze = (program: Program): FrozenProgram => ({
  ...less(program, 'marks'),
  alphabet: less(program.alphabet, 'classOfPair'),
  triggers: less(program.triggers, 'skip', 'partials'),
  machines: program.machines.map((machine) => ({
    ...less(machine, 'check'),
    checked: machine.check !== undefined,
  })),
})

const less = <Value extends object, Key extends keyof Value & string>(
  value: Value,
  ...keys: readonly Key[]
): Omit<Value, Key> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as Key))) as Omit<Value, Key>

const thaw = (frozen: FrozenProgram, tables: readonly RuleTable[]): Program => {
  const rules = Object.assign({}, ...tables.map((table) => table.rules)) as RuleTable['rules']
  return {
    ...own(frozen),
    alphabet: openAlphabet(own(frozen.alphabet)),
    triggers: openTriggers(own(frozen.triggers)),
    machines: frozen.machines.map(({ checked, ...machine }) => ({
      ...own(machine),
      check: checked ? rules[machine.rule]?.check : undefined,
    })),
    marks: marksOf(frozen.rows),
  }
}

/** Arrays that stayed views on the bytes would keep all of them in memory. */
const own = <Data extends object>(data: Data): Data =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [
      key,
      ArrayBuffer.isView(value) ? (value as Uint8Array).slice() : (value as unknown),
    ]),
  ) as Data
