import { type Charset, has } from './charset.ts'
import type { Pattern } from './pattern.ts'

/**
 * A deterministic automaton anchored at both ends. State 0 is dead, state 1 the start; `next` has `width` columns a state.
 * Column 0 is for characters that the view ignores: every state stays where it is.
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
  const { columnOf, columns } = columnsOf(positions.sets, atoms)
  return determinize(positions, whole, { columnOf, columns })
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
  /** For each column but the first, a character code that stands for it. */
  readonly columns: readonly number[]
}

const columnsOf = (sets: readonly Charset[], atoms: readonly number[]): Columns => {
  const distinct = [...new Map(sets.map((set) => [set.join(';'), set])).values()]
  const byMembers = new Map<string, number>()
  const columns: number[] = []
  const columnOf = Uint8Array.from(atoms, (code) => {
    const members = distinct.map((set) => (has(set, code) ? '1' : '0')).join('')
    let column = byMembers.get(members)
    if (column === undefined) {
      column = columns.push(code)
      if (column > MOST_COLUMNS) throw new RangeError('the pattern tells too many characters apart')
      byMembers.set(members, column)
    }
    return column
  })
  return { columnOf, columns }
}

const determinize = ({ sets, follow }: Positions, whole: Part, { columnOf, columns }: Columns): Automaton => {
  const width = columns.length + 1
  const memberships = new Map<Charset, boolean[]>()
  for (const set of new Set(sets))
    memberships.set(
      set,
      columns.map((code) => has(set, code)),
    )
  const admits = sets.map((set) => memberships.get(set) as boolean[])
  const finals = new Set(whole.last)
  const states = new Map<string, number>()
  const next: number[] = new Array<number>(2 * width).fill(0)
  const accepting = [0, 0]
  const queue: { readonly state: number; readonly reach: readonly number[] }[] = [
    { state: 1, reach: whole.first },
  ]
  const stateFor = (members: readonly number[]): number => {
    const key = members.join(',')
    const known = states.get(key)
    if (known !== undefined) return known
    const state = accepting.push(members.some((at) => finals.has(at)) ? 1 : 0) - 1
    if (state > MOST_STATES) throw new RangeError('the pattern needs too many states')
    states.set(key, state)
    for (let column = 0; column < width; column++) next.push(0)
    const reach = new Set(members.flatMap((at) => follow[at] as number[]))
    queue.push({ state, reach: [...reach] })
    return state
  }
  for (let head = queue.shift(); head !== undefined; head = queue.shift()) {
    next[head.state * width] = head.state
    for (let column = 1; column < width; column++) {
      const members = head.reach.filter((at) => admits[at]?.[column - 1])
      if (members.length > 0)
        next[head.state * width + column] = stateFor([...new Set(members)].toSorted((a, b) => a - b))
    }
  }
  return { width, next: Int32Array.from(next), accepting: Uint8Array.from(accepting), columnOf }
}
