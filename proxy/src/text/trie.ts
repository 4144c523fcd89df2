import { type Alphabet, LOOK, SKIP } from './alphabet.ts'
import { type Charset, has } from './charset.ts'
import type { Trigger } from './triggers.ts'

/** A trigger that has been seen, or its beginning: its machine may open a candidate that begins `seen` characters back. */
interface Sighting {
  readonly machine: number
  readonly seen: number
  /** State of the machine behind the trigger; -1 when that depends on what exactly was seen. */
  readonly state: number
  /** Whether a lead may stand before it. */
  readonly leads: boolean
}

/**
 * One automaton that sees every trigger in one pass. A state is written as the offset of its row in `next`; states from
 * `hot` on end a trigger. LOOK and SKIP lead beyond them, so that a loop stops there too; `skip` is where SKIP really leads.
 */
export interface TriggerAutomaton extends TriggerData {
  readonly skip: (state: number) => number
  /** Those with a lead first, then those that took the most characters. */
  readonly partials: (state: number) => readonly Sighting[]
}

/** What can be stored of it: `openTriggers` makes the automaton of it again. */
export interface TriggerData {
  /** Length of a row. */
  readonly size: number
  readonly next: Int32Array
  readonly hot: number
  /** For a hot state, its place in `endsFrom` is `next[state + SKIP] - next.length`; then ENDING numbers for each sighting. */
  readonly endsFrom: Int32Array
  readonly ends: Int32Array
  /** By row: where SKIP leads. */
  readonly skips: Int32Array
  /** By row: places in `begun` from `begunFrom[row]` to `begunFrom[row + 1]`, each the number of a list of `beginnings`. */
  readonly begunFrom: Int32Array
  readonly begun: Int32Array
  readonly beginnings: readonly (readonly Sighting[])[]
}

/** Numbers of a sighting in `TriggerAutomaton.ends`: machine, characters seen, state. */
export const ENDING = 3

/** The start state. */
export const START = 0

const MOST_STATES = 30_000

/** A trigger of a machine; `after`, when given, must stand before it, unless the text begins there. */
interface Placed extends Trigger {
  readonly machine: number
  readonly state: number
  readonly leads: boolean
  readonly after: Charset | undefined
}

/** What all triggers with the same first characters share. */
interface Node {
  readonly set: Charset
  /** A neighbour is not part of the trigger, and the beginning of the text will do for it. */
  readonly kind: 'neighbour' | 'first' | 'later'
  readonly children: Map<Charset, number>
  readonly partials: Sighting[]
  readonly ends: Sighting[]
}

/** Throws RangeError when the triggers need too many states together. */
export const compileTriggers = (triggers: readonly Placed[], alphabet: Alphabet): TriggerAutomaton => {
  const nodes = trieOf(triggers)
  return openTriggers(pack(nodes, subsetsOf(nodes, movesOf(nodes, alphabet)), alphabet))
}

const trieOf = (triggers: readonly Placed[]): readonly Node[] => {
  const nodes: Node[] = []
  const anywhere = new Map<Charset, number>()
  const nodeIn = (level: Map<Charset, number>, set: Charset, kind: Node['kind']): Node => {
    const at = level.get(set) ?? nodes.length
    if (at === nodes.length) {
      nodes.push({ set, kind, children: new Map(), partials: [], ends: [] })
      level.set(set, at)
    }
    return nodes[at] as Node
  }
  const neighbours = new Map<Charset, number>()
  for (const { machine, state, leads, head, sets, after } of triggers) {
    let level = after === undefined ? anywhere : nodeIn(neighbours, after, 'neighbour').children
    sets.forEach((set, index) => {
      const node = nodeIn(level, set, level === anywhere ? 'first' : 'later')
      const seen = head.length + index + 1
      ;(index === sets.length - 1 ? node.ends : node.partials).push({ machine, seen, state, leads })
      level = node.children
    })
  }
  return nodes
}

/** For each class, the nodes that it enters from nothing; for each node, where the classes that move it lead. */
interface Moves {
  readonly enter: readonly (readonly number[])[]
  readonly from: readonly ReadonlyMap<number, readonly number[]>[]
}

const BLANK = 32

const movesOf = (nodes: readonly Node[], { view, size, codes }: Alphabet): Moves => {
  const admitted = new Map<Charset, readonly number[]>()
  const admittedBy = ({ set }: Node): readonly number[] => {
    let made = admitted.get(set)
    if (made === undefined) {
      made = [...codes.keys()].filter((cls) => cls > SKIP && has(set, codes[cls] as number))
      admitted.set(set, made)
    }
    return made
  }
  const enter = Array.from({ length: size }, (): number[] => [])
  nodes.forEach((node, at) => {
    if (node.kind !== 'later') for (const cls of admittedBy(node)) enter[cls]?.push(at)
  })
  const from = nodes.map((node, at) => {
    const moves = new Map<number, number[]>()
    const move = (cls: number, to: number) => moves.set(cls, [...(moves.get(cls) ?? []), to])
    for (const child of node.children.values())
      for (const cls of admittedBy(nodes[child] as Node)) move(cls, child)
    if (node.children.size === 0) return moves
    move(SKIP, at)
    if (view === 'folded' && has(node.set, BLANK)) for (const cls of admittedBy(node)) move(cls, at)
    return moves
  })
  return { enter, from }
}

interface Subsets {
  readonly members: readonly (readonly number[])[]
  /** State numbers, one row of classes for each state. */
  readonly rows: readonly Int32Array[]
}

const subsetsOf = (nodes: readonly Node[], { enter, from }: Moves): Subsets => {
  const neighbours = [...nodes.keys()].filter((at) => (nodes[at] as Node).kind === 'neighbour')
  const numbers = new Map<string, number>([[neighbours.join(), 0]])
  const members: (readonly number[])[] = [neighbours]
  const numberOf = (reached: readonly number[]): number => {
    const sorted = reached.toSorted((a, b) => a - b)
    const key = sorted.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    if (members.length > MOST_STATES) throw new RangeError('the rules begin in too many ways')
    numbers.set(key, members.length)
    return members.push(sorted.filter((at, i) => at !== sorted[i - 1])) - 1
  }
  const first = Int32Array.from(enter, numberOf)
  const rows: Int32Array[] = []
  for (let state = 0; state < members.length; state++) {
    const row = first.slice()
    const reached = new Map<number, number[]>()
    for (const at of members[state] as readonly number[])
      for (const [cls, to] of from[at] as ReadonlyMap<number, readonly number[]>) {
        const known = reached.get(cls)
        if (known === undefined) reached.set(cls, [...to])
        else known.push(...to)
      }
    for (const [cls, to] of reached) row[cls] = numberOf([...to, ...(enter[cls] as readonly number[])])
    rows.push(row)
  }
  return { members, rows }
}

/** Numbers the states anew, those that end a trigger last, and writes them as row offsets. */
const pack = (nodes: readonly Node[], { members, rows }: Subsets, { size }: Alphabet): TriggerData => {
  const nodesOf = (state: number): readonly number[] => members[state] ?? []
  const ending = (state: number): boolean => nodesOf(state).some((at) => (nodes[at] as Node).ends.length > 0)
  const order = [...members.keys()].toSorted((a, b) => Number(ending(a)) - Number(ending(b)) || a - b)
  const rowOf = new Int32Array(members.length)
  order.forEach((state, row) => (rowOf[state] = row * size))
  const beyond = members.length * size
  const next = new Int32Array(beyond)
  const skips = new Int32Array(members.length)
  rows.forEach((row, state) => {
    const from = rowOf[state] as number
    row.forEach((target, cls) => (next[from + cls] = cls > SKIP ? (rowOf[target] as number) : beyond))
    skips[from / size] = rowOf[row[SKIP] as number] as number
    next[from + LOOK] = beyond
  })
  const hot = order.filter((state) => !ending(state)).length * size
  const endings = order.slice(hot / size)
  endings.forEach((_, at) => (next[hot + at * size + SKIP] = beyond + at))
  const ends = endings.map((state) =>
    nodesOf(state)
      .flatMap((at) => (nodes[at] as Node).ends)
      .flatMap(({ machine, seen, state: behind }) => [machine, seen, behind]),
  )
  const begun = order.map((state) => nodesOf(state).filter((at) => (nodes[at] as Node).partials.length > 0))
  return {
    size,
    next,
    hot,
    skips,
    endsFrom: offsetsOf(ends),
    ends: Int32Array.from(ends.flat()),
    begunFrom: offsetsOf(begun),
    begun: Int32Array.from(begun.flat()),
    beginnings: nodes.map(({ partials }) => partials),
  }
}

const offsetsOf = (lists: readonly (readonly number[])[]): Int32Array => {
  const offsets = new Int32Array(lists.length + 1)
  lists.forEach(({ length }, at) => (offsets[at + 1] = (offsets[at] as number) + length))
  return offsets
}

export const openTriggers = (data: TriggerData): TriggerAutomaton => {
  const { size, skips, begunFrom, begun, beginnings } = data
  return {
    ...data,
    skip: (state) => skips[state / size] ?? START,
    partials: remembered((state) => {
      const row = state / size
      return [...begun.subarray(begunFrom[row], begunFrom[row + 1])]
        .flatMap((at) => beginnings[at] ?? [])
        .toSorted((a, b) => Number(b.leads) - Number(a.leads) || b.seen - a.seen)
    }),
  }
}

const remembered = <Value>(make: (state: number) => Value): ((state: number) => Value) => {
  const known = new Map<number, Value>()
  return (state) => {
    let value = known.get(state)
    if (value === undefined) known.set(state, (value = make(state)))
    return value
  }
}
