import { bindingsIn } from './bindings.ts'
import { callsIn, type Call } from './calls.ts'
import { holeOf, type Context } from './context.ts'
import { evaluate } from './evaluate.ts'
import { importsIn } from './imports.ts'
import { createNames, type Meaning } from './names.ts'
import { settled } from './origin.ts'
import { createOrigins, type OriginAt } from './origins.ts'
import { argumentsOf, type Program, type Range } from './program.ts'
import { returnsOf, rootOf, withArguments, type Made } from './returned.ts'
import { scopesIn, type Scopes } from './scopes.ts'
import type { HolePiece, Piece } from './tokens.ts'

/** What can be said of one file without running it: which text an expression makes, and who writes what is put in. */
export interface Flow {
  readonly program: Program
  readonly calls: readonly Call[]
  readonly scopes: Scopes
  readonly evaluate: (range: Range) => readonly Piece[] | undefined
  readonly meaning: (path: string, at: number) => Meaning | undefined
  /** Calls of a function by its name. */
  readonly callsOf: (name: string) => readonly Call[]
  /** The text that a name of the whole file stands for, and what a function of it makes. */
  readonly exported: {
    readonly textOf: (path: string) => readonly Piece[] | undefined
    readonly made: (path: string) => Made | undefined
  }
  /** The file and the name there that a name here is imported from. */
  readonly imported: (path: string) => { readonly flow: Flow; readonly path: string } | undefined
  /** What is put in where an expression stands. */
  readonly holeOf: (range: Range) => HolePiece
  /** Token indexes of the values that went into a text elsewhere. */
  readonly used: ReadonlySet<number>
}

/** The files that are read, as modules of each other. */
export interface Links {
  /** The file that a module name means in a file; undefined when it is not among those that are read. */
  readonly flowOf: (module: string, from: string) => Flow | undefined
}

/** Texts inside texts; recursion of the program ends there too. */
const DEEPEST = 8
/** Expressions of one file that are worked out; more is no program that people wrote. */
const MOST_WORK = 100_000
/** Characters of text that cost as much as one more expression. */
const PER_STEP = 200

const lengthOf = (pieces: readonly Piece[] = []): number =>
  pieces.reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.text.length : 0), pieces.length)

export const createFlow = (program: Program, links?: Links): Flow => {
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
      const pieces = evaluate(context, range)
      work += Math.floor(lengthOf(pieces) / PER_STEP)
      return pieces
    } finally {
      depth--
    }
  }
  const context: Context = {
    program,
    evaluate: bounded,
    hole: createHole(originAt, meaning),
    listOf: (path, at) => listOf(program, meaning(path, at)),
    textOf: (path, at) => own.textOf(path, at) ?? fromOther(path),
    called: (path, { args }) => {
      const made = own.made(path) ?? otherMade(path)
      return made === undefined ? undefined : withArguments(context, made, args)
    },
  }
  const imported = links === undefined ? () => undefined : createImported(program, links)
  const { fromOther, otherMade } = others(imported, () => depth < DEEPEST)
  const own = texts({ scopes, meaning, used, context: () => context })
  const exported = {
    textOf: (path: string) => own.textOf(path, program.tokens.length) ?? fromOther(path),
    made: (path: string) => own.made(path) ?? otherMade(path),
  }
  return {
    program,
    calls,
    scopes,
    evaluate: bounded,
    meaning,
    callsOf,
    exported,
    imported,
    holeOf: (range) => holeOf(context, range),
    used,
  }
}

const createHole =
  (originAt: OriginAt, meaning: Flow['meaning']): Context['hole'] =>
  (expression, { at, ...span }) => {
    const origin = originAt(expression, at)
    const known = origin !== 'unknown'
    const inside = known ? undefined : functionOf(meaning(rootOf(expression), at))
    const trust = settled(origin, expression)
    return { kind: 'hole', expression, ...span, trust, known, ...(inside === undefined ? {} : { inside }) }
  }

/** Texts and functions of imported files; `mayGo` ends files that lead to each other. */
const others = (
  imported: Flow['imported'],
  mayGo: () => boolean,
): { fromOther: Flow['exported']['textOf']; otherMade: Flow['exported']['made'] } => ({
  fromOther: (path) => {
    const other = mayGo() ? imported(path) : undefined
    return other === undefined ? undefined : foreign(other.flow.exported.textOf(other.path), other.flow)
  },
  otherMade: (path) => {
    const other = mayGo() ? imported(path) : undefined
    const made = other?.flow.exported.made(other.path)
    return other === undefined || made === undefined
      ? undefined
      : { ...made, pieces: foreign(made.pieces, other.flow) ?? [] }
  },
})

/** The function whose parameter a name is. */
const functionOf = (found: Meaning | undefined): string | undefined =>
  found?.kind === 'parameter' && found.scope.name !== '' ? found.scope.name : undefined

const foreign = (pieces: readonly Piece[] | undefined, { program }: Flow): readonly Piece[] | undefined =>
  pieces?.map((piece) => (piece.path === undefined ? { ...piece, path: program.source.path } : piece))

const createImported = (program: Program, links: Links): Flow['imported'] => {
  const imports = importsIn(program)
  return (path) => {
    const [root = '', ...rest] = path.split('.')
    const found = imports.get(root)
    if (found === undefined) return undefined
    const { path: here } = program.source
    const name = found.name === undefined ? rest : [found.name, ...rest]
    const flow = links.flowOf(found.module, here)
    if (flow !== undefined && name.length > 0) return { flow, path: name.join('.') }
    // `from . import prompts`: the name is a module of its own.
    const inner =
      found.name === undefined || rest.length === 0
        ? undefined
        : links.flowOf(`${found.module}${found.module.endsWith('.') ? '' : '.'}${found.name}`, here)
    return inner === undefined ? undefined : { flow: inner, path: rest.join('.') }
  }
}

interface Texts {
  readonly scopes: Scopes
  readonly meaning: Flow['meaning']
  readonly used: Set<number>
  readonly context: () => Context
}

/** What names and functions of the file stand for; each value is worked out once. */
const texts = ({
  scopes,
  meaning,
  used,
  context,
}: Texts): Pick<Context, 'textOf'> & { readonly made: (path: string) => Made | undefined } => {
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
    const [here] = scopes.around(at)
    // What a name is given later in the same block is not what it stands for yet.
    const earlier = found.values.filter(({ scope, value }) => scope !== here || value.to <= at)
    const values = earlier.length === 0 ? found.values : earlier
    const last = Math.max(
      0,
      values.findLastIndex(({ how }) => how === 'set'),
    )
    const parts = values
      .slice(last)
      .filter(({ how }, index) => (how === 'set' && index === 0) || how === 'add')
    const pieces = parts.map(({ value }) => remembered(value))
    if (!pieces.some((one) => one !== undefined)) return undefined
    for (const { value } of parts) used.add(value.from)
    return parts.flatMap(({ value }, index) => pieces[index] ?? [holeOf(context(), value)])
  }
  const made = (path: string): Made | undefined => {
    const candidates = functions.get(path.slice(path.lastIndexOf('.') + 1)) ?? []
    for (const scope of candidates.slice(0, 3))
      for (const range of returnsOf(context().program, scopes, scope)) {
        const pieces = remembered(range)
        if (pieces !== undefined) return { scope, pieces }
      }
    return undefined
  }
  return { textOf, made }
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
