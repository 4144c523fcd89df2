import { type Charset, has } from './charset.ts'
import type { Pattern } from './pattern.ts'

/**
 * A deterministic automaton anchored at both ends. State 0 is dead, state 1 the start; `next` has `width` columns a state.
 * Column 0 is for characters that the view ignores, on which every state stays where it is; nothing reads it.
 */
export interface Automaton {
  readonly width: number
  readonly next: Int32Array
  readonly accepting: Uint8Array
  /** Column of each atom of the alphabet. */
  readonly columnOf: Uint8Array
}

const MOST_POSITIONS = 6000
const MOST_COLUMNS = 255
const MOST_STATES = 4000

/** The positions of a pattern (Glushkov): each is one occurrence of a set; `follow` says what may come after it. */
interface Positions {
  readonly sets: Charset[]
  readonly follow: number[][]
}

interface Part {
  readonly nullable: boolean
  readonly first: readonly number[]
  readonly last: readonly number[]
}

/** `atoms` has one representative character code for each class of the alphabet. Throws RangeError when the pattern is too large. */
export const compileAutomaton = (pattern: Pattern, atoms: readonly number[]): Automaton => {
  const positions: Positions = { sets: [], follow: [] }
  const whole = place(positions, pattern)
  if (whole.nullable) throw new RangeError('the pattern matches nothing at all')
  return determinize(positions, whole, { ...columnsOf(positions.sets, atoms), atoms })
}

const place = (positions: Positions, pattern: Pattern): Part => {
  switch (pattern.kind) {
    case 'set': {
      const at = positions.sets.push(pattern.set) - 1
      if (at > MOST_POSITIONS) throw new RangeError('the pattern is too large')
      positions.follow.push([])
      return { nullable: false, first: [at], last: [at] }
    }
    case 'sequence':
      return pattern.items
        .map((item) => () => place(positions, item))
        .reduce<Part>((before, next) => join(positions, before, next()), EMPTY)
    case 'choice': {
      const parts = pattern.options.map((option) => place(positions, option))
      return {
        nullable: parts.some((part) => part.nullable),
        first: parts.flatMap((part) => part.first),
        last: parts.flatMap((part) => part.last),
      }
    }
    case 'repeat':
      return repeat(positions, pattern)
  }
}

const EMPTY: Part = { nullable: true, first: [], last: [] }

const link = (positions: Positions, from: readonly number[], to: readonly number[]): void => {
  for (const at of from) (positions.follow[at] as number[]).push(...to)
}

const join = (positions: Positions, before: Part, after: Part): Part => {
  link(positions, before.last, after.first)
  return {
    nullable: before.nullable && after.nullable,
    first: before.nullable ? [...before.first, ...after.first] : before.first,
    last: after.nullable ? [...before.last, ...after.last] : after.last,
  }
}

/** `x{2,4}` becomes `xx(x(x)?)?`: each copy leads to the next only, so the number of links stays linear. */
const repeat = (positions: Positions, { item, min, max }: Pattern & { kind: 'repeat' }): Part => {
  const copies = max === Infinity ? Math.max(min, 1) : max
  const lasts: number[] = []
  let first: Part | undefined
  let previous: Part | undefined
  for (let copy = 1; copy <= copies; copy++) {
    const part = place(positions, item)
    if (previous !== undefined) link(positions, previous.last, part.first)
    if (copy >= min || part.nullable) lasts.push(...part.last)
    first ??= part
    previous = part
  }
  if (first === undefined || previous === undefined) return EMPTY
  if (max === Infinity) link(positions, previous.last, previous.first)
  return { nullable: min === 0 || first.nullable, first: first.first, last: lasts }
}

interface Columns {
  readonly columnOf: Uint8Array
  /** For each column but the first, an atom that stands for it. */
  readonly columns: readonly number[]
}

/** Groups the atoms that no set of the pattern tells apart. */
const columnsOf = (sets: readonly Charset[], atoms: readonly number[]): Columns => {
  let groups: readonly number[] = atoms.map(() => 0)
  for (const set of new Set(sets)) {
    const members = memberships(set, atoms)
    const split = new Map<number, number>()
    groups = groups.map((group, at) => {
      const key = group * 2 + (members[at] as number)
      const known = split.get(key)
      if (known === undefined) split.set(key, split.size)
      return known ?? split.size - 1
    })
  }
  const columns: number[] = []
  groups.forEach((group, at) => {
    if (group === columns.length) columns.push(at)
  })
  if (columns.length > MOST_COLUMNS) throw new RangeError('the pattern tells too many characters apart')
  return { columnOf: Uint8Array.from(groups, (group) => group + 1), columns }
}

/** The subset construction, as far as it has come. */
interface Subsets {
  readonly numbers: Map<string | number, number>
  /** By state: the positions that it may be at. */
  readonly members: (readonly number[])[]
  readonly next: number[]
}

const determinize = (
  positions: Positions,
  whole: Part,
  { columnOf, columns, atoms }: Columns & { readonly atoms: readonly number[] },
): Automaton => {
  const width = columns.length + 1
  const admitted = columnsBySet(positions.sets, columns, atoms)
  const subsets: Subsets = { numbers: new Map(), members: [[], []], next: new Array<number>(width).fill(0) }
  const seen = new Int32Array(positions.sets.length)
  for (let state = 1; state < subsets.members.length; state++) {
    const reach = state === 1 ? whole.first : reachOf(positions, subsets.members[state] as readonly number[])
    const reached = columns.map((): number[] => [])
    for (const at of reach) {
      if (seen[at] === state) continue
      seen[at] = state
      for (const column of admitted[at] as readonly number[]) (reached[column] as number[]).push(at)
    }
    subsets.next.push(state)
    for (const members of reached) subsets.next.push(members.length === 0 ? 0 : numberOf(subsets, members))
  }
  const finals = new Set(whole.last)
  return {
    width,
    next: Int32Array.from(subsets.next),
    accepting: Uint8Array.from(subsets.members, (members) => Number(members.some((at) => finals.has(at)))),
    columnOf,
  }
}

/** By position: the columns whose characters it admits. */
const columnsBySet = (
  sets: readonly Charset[],
  columns: readonly number[],
  atoms: readonly number[],
): readonly (readonly number[])[] => {
  const known = new Map<Charset, readonly number[]>()
  return sets.map((set) => {
    let admitted = known.get(set)
    if (admitted === undefined) {
      const members = memberships(set, atoms)
      admitted = [...columns.keys()].filter((column) => members[columns[column] as number] === 1)
      known.set(set, admitted)
    }
    return admitted
  })
}

const reachOf = ({ follow }: Positions, members: readonly number[]): readonly number[] => {
  const [only] = members
  if (members.length === 1 && only !== undefined) return follow[only] as readonly number[]
  return members.flatMap((at) => follow[at] as number[])
}

const numberOf = ({ numbers, members }: Subsets, reached: number[]): number => {
  const [only] = reached
  const key = reached.length === 1 && only !== undefined ? only : reached.sort((a, b) => a - b).join()
  const known = numbers.get(key)
  if (known !== undefined) return known
  if (members.length > MOST_STATES) throw new RangeError('the pattern needs too many states')
  numbers.set(key, members.length)
  return members.push(reached) - 1
}

/** By code: whether a set has it. Remembered for each list of codes. */
const memberships = (set: Charset, codes: readonly number[]): Uint8Array => {
  let bySet = rememberedFor.get(codes)
  if (bySet === undefined) rememberedFor.set(codes, (bySet = new Map<Charset, Uint8Array>()))
  let members = bySet.get(set)
  if (members === undefined)
    bySet.set(set, (members = Uint8Array.from(codes, (code) => Number(has(set, code)))))
  return members
}

const rememberedFor = new WeakMap<readonly number[], Map<Charset, Uint8Array>>()
