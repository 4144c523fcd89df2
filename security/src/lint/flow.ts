import { bindingsIn } from './bindings.ts'
import { callsIn, type Call } from './calls.ts'
import { holeOf, type CallPlace, type Context } from './context.ts'
import { evaluate } from './evaluate.ts'
import { createNames, type Meaning } from './names.ts'
import { settled } from './origin.ts'
import { createOrigins } from './origins.ts'
import { argumentsOf, type Program, type Range } from './program.ts'
import { returnsOf, withArguments } from './returned.ts'
import { scopesIn, type Scope, type Scopes } from './scopes.ts'
import type { Piece } from './tokens.ts'

/** What can be said of one file without running it: which text an expression makes, and who writes what is put in. */
export interface Flow {
  readonly program: Program
  readonly calls: readonly Call[]
  readonly scopes: Scopes
  readonly evaluate: (range: Range) => readonly Piece[] | undefined
  readonly meaning: (path: string, at: number) => Meaning | undefined
  /** Calls of a function by its name. */
  readonly callsOf: (name: string) => readonly Call[]
  /** Token indexes of the values that went into a text elsewhere. */
  readonly used: ReadonlySet<number>
}

/** Texts inside texts; recursion of the program ends there too. */
const DEEPEST = 8
/** Expressions of one file that are worked out; more is no program that people wrote. */
const MOST_WORK = 100_000

export const createFlow = (program: Program): Flow => {
  const scopes = scopesIn(program)
  const calls = callsIn(program)
  const { meaning } = createNames(program, scopes, bindingsIn(program, scopes))
  const byName = Map.groupBy(calls, ({ name }) => name)
  const callsOf = (name: string): readonly Call[] => byName.get(name) ?? []
  const originAt = createOrigins({ program, meaning, callsOf })
  const used = new Set<number>()
  let depth = 0
  let work = 0
  const bounded = (range: Range): readonly Piece[] | undefined => {
    if (depth >= DEEPEST || work > MOST_WORK) return undefined
    depth++
    work++
    try {
      return evaluate(context, range)
    } finally {
      depth--
    }
  }
  const context: Context = {
    program,
    evaluate: bounded,
    hole: (expression, { at, ...span }) => {
      const origin = originAt(expression, at)
      return {
        kind: 'hole',
        expression,
        ...span,
        trust: settled(origin, expression),
        known: origin !== 'unknown',
      }
    },
    listOf: (path, at) => listOf(program, meaning(path, at)),
    ...texts({ scopes, meaning, used, context: () => context }),
  }
  return { program, calls, scopes, evaluate: bounded, meaning, callsOf, used }
}

interface Texts {
  readonly scopes: Scopes
  readonly meaning: Flow['meaning']
  readonly used: Set<number>
  readonly context: () => Context
}

/** What names and functions of the file stand for; each value is worked out once. */
const texts = ({ scopes, meaning, used, context }: Texts): Pick<Context, 'textOf' | 'called'> => {
  const known = new Map<number, readonly Piece[] | undefined>()
  const functions = Map.groupBy(
    scopes.all.filter(({ kind, name }) => kind === 'function' && name !== ''),
    ({ name }) => name,
  )
  const remembered = (range: Range): readonly Piece[] | undefined => {
    if (known.has(range.from)) return known.get(range.from)
    known.set(range.from, undefined)
    const pieces = context().evaluate(range)
    known.set(range.from, pieces)
    return pieces
  }
  const textOf = (path: string, at: number): readonly Piece[] | undefined => {
    const found = meaning(path, at)
    if (found?.kind !== 'values') return undefined
    const last = Math.max(
      0,
      found.values.findLastIndex(({ how }) => how === 'set'),
    )
    const parts = found.values
      .slice(last)
      .filter(({ how }, index) => (how === 'set' && index === 0) || how === 'add')
    const pieces = parts.map(({ value }) => remembered(value))
    if (!pieces.some((one) => one !== undefined)) return undefined
    for (const { value } of parts) used.add(value.from)
    return parts.flatMap(({ value }, index) => pieces[index] ?? [holeOf(context(), value)])
  }
  const called = (path: string, { args }: CallPlace): readonly Piece[] | undefined => {
    const candidates: readonly Scope[] = functions.get(path.slice(path.lastIndexOf('.') + 1)) ?? []
    for (const scope of candidates.slice(0, 3))
      for (const range of returnsOf(context().program, scopes, scope)) {
        const pieces = remembered(range)
        if (pieces !== undefined) return withArguments(context(), { scope, pieces }, args)
      }
    return undefined
  }
  return { textOf, called }
}

/** The elements of a list, and what is appended to it after. */
const listOf = (program: Program, found: Meaning | undefined): readonly Range[] | undefined => {
  if (found?.kind !== 'values') return undefined
  const last = found.values.findLastIndex(({ how }) => how === 'set')
  if (last < 0) return undefined
  const ranges = found.values.slice(last).flatMap(({ value, how }): readonly Range[] => {
    const isList = program.tokens[value.from]?.text === '['
    if (isList) return argumentsOf(program, value.from)
    return how === 'item' ? [value] : []
  })
  return ranges.length === 0 ? undefined : ranges
}
