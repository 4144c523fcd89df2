import { placed, textOrHole, type Context } from './context.ts'
import { argumentFor } from './origins.ts'
import type { Argument, Program, Range } from './program.ts'
import type { Scope, Scopes } from './scopes.ts'
import { expressionEnd } from './statement.ts'
import type { Piece } from './tokens.ts'

/** Tokens of a body that are searched for `return`. */
const LONGEST = 4000
const MOST_RETURNS = 4

/** What a function gives back: after each `return` of its own, or the whole body of an arrow. */
export const returnsOf = (program: Program, scopes: Scopes, scope: Scope): readonly Range[] => {
  const { tokens } = program
  const isArrow = tokens[scope.from - 1]?.text === '>' && tokens[scope.from - 2]?.text === '='
  if (isArrow) return [scope]
  const found: Range[] = []
  for (
    let at = scope.from;
    at < Math.min(scope.to, scope.from + LONGEST) && found.length < MOST_RETURNS;
    at++
  )
    if (tokens[at]?.kind === 'name' && tokens[at]?.text === 'return' && scopes.around(at)[0] === scope)
      found.push({ from: at + 1, to: expressionEnd(program, at + 1) })
  return found
}

/** The text that a function gives back, with its parameters as holes. */
export interface Made {
  readonly scope: Scope
  readonly pieces: readonly Piece[]
}

/** The text that a function makes, with the arguments of a call in the place of its parameters. */
export const withArguments = (context: Context, made: Made, args: readonly Argument[]): readonly Piece[] =>
  made.pieces.flatMap((piece): readonly Piece[] => {
    if (piece.kind === 'text') return [piece]
    const index = made.scope.parameters.findIndex(({ names }) => names.includes(rootOf(piece.expression)))
    const parameter = made.scope.parameters[index]
    if (parameter === undefined) return [piece]
    const given = argumentFor(context.program, args, { parameter, index, name: rootOf(piece.expression) })
    if (given === undefined) return [piece]
    const put = textOrHole(context, given)
    const [only] = put
    if (
      put.length === 1 &&
      only?.kind === 'hole' &&
      only.trust === 'own' &&
      piece.trust !== 'own' &&
      only.known !== true
    )
      return [piece]
    return placed(put, piece)
  })

/** The name at the beginning of what a hole puts in, where that is no more than a name and its members. */
export const rootOf = (expression: string): string =>
  /^([\w$]+)(?:[.[][\w$.\]"']*)?(?:\.(?:strip|trim)\(\))?$/.exec(expression)?.[1] ?? ''
