import type { Argument, Program, Range } from './program.ts'
import type { HolePiece, Piece } from './tokens.ts'

/** What an expression needs to know of the rest of the program. */
export interface Context {
  readonly program: Program
  /** The text that an expression makes, with all that is put into it. Undefined when none of the program's text is in it. */
  readonly evaluate: (range: Range) => readonly Piece[] | undefined
  /** The text that a name stands for. */
  readonly textOf: (path: string, at: number) => readonly Piece[] | undefined
  /** The elements of the list that a name stands for. */
  readonly listOf: (path: string, at: number) => readonly Range[] | undefined
  /** The text that a function of the program makes of its arguments. */
  readonly called: (path: string, call: CallPlace) => readonly Piece[] | undefined
  /** An expression that is put in, with who writes it. */
  readonly hole: (expression: string, place: HolePlace) => HolePiece
}

export interface CallPlace {
  readonly at: number
  readonly args: readonly Argument[]
}

export interface HolePlace {
  readonly start: number
  readonly end: number
  /** Index of the token where names are looked up. */
  readonly at: number
}

export const holeOf = ({ program, hole }: Context, { from, to }: Range): HolePiece => {
  const start = program.tokens[from]?.start ?? 0
  const end = program.tokens[to - 1]?.end ?? start
  const made = hole(program.source.text.slice(start, Math.min(end, start + 200)), { start, end, at: from })
  return { ...made, isCode: true }
}

export const textOrHole = (context: Context, range: Range): readonly Piece[] =>
  context.evaluate(range) ?? [holeOf(context, range)]

/** What fills a hole stands where the hole stands, so that a finding names the template; text of its own keeps its place. */
export const placed = (put: readonly Piece[], hole: HolePiece): readonly Piece[] => {
  const [only] = put
  // In another file, so that its own finding there is known to be wrong.
  if (hole.path !== undefined && put.every(({ kind, path }) => kind === 'text' && path === undefined))
    return [{ ...hole, trust: 'own', known: true, asked: hole.expression }]
  if (put.length !== 1 || only?.kind !== 'hole' || only.path !== undefined) return put
  const { path } = hole
  const here = {
    ...only,
    start: hole.start,
    end: hole.end,
    asked: hole.expression,
    isCode: hole.isCode === true,
  }
  return [path === undefined ? here : { ...here, path }]
}
