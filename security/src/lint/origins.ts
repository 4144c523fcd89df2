import type { Call } from './calls.ts'
import type { Meaning } from './names.ts'
import { isPlumbing, originOf, rootsOf, withoutArguments, worst, type Origin } from './origin.ts'
import { argumentsOf, type Program, type Range } from './program.ts'
import type { Parameter, Scope } from './scopes.ts'

export interface OriginsOptions {
  readonly program: Program
  readonly meaning: (path: string, at: number) => Meaning | undefined
  readonly callsOf: (name: string) => readonly Call[]
}

/** Who writes the value of an expression that stands at a token. */
export type OriginAt = (expression: string, at: number) => Origin

/** Names behind names. */
const DEEPEST = 6
const MOST_WORK = 50_000
const MOST_CALLERS = 20

/** Follows names to their values, parameters to the calls of their function, and handlers to the request. */
export const createOrigins = ({ program, meaning, callsOf }: OriginsOptions): OriginAt => {
  let work = 0
  const originAt = (expression: string, at: number, depth: number): Origin => {
    const bare = withoutArguments(expression)
    const shown = originOf(bare)
    if (shown !== 'unknown' || depth >= DEEPEST || work > MOST_WORK) return shown
    const roots = rootsOf(bare)
    if (roots.length === 0) return isLiteral(bare) ? 'own' : 'unknown'
    return worst(roots.map((path) => ofName(path, at, depth + 1)))
  }
  const ofName = (path: string, at: number, depth: number): Origin => {
    work++
    const found =
      meaning(path, at) ?? (path.includes('.') ? meaning(path.split('.')[0] ?? '', at) : undefined)
    if (found === undefined) return 'unknown'
    if (found.kind === 'parameter') return ofParameter(found.scope, found.name, depth)
    return worst(
      found.values.map(({ value, how }) => (how === 'part' ? taken(value, depth) : ofRange(value, depth))),
    )
  }
  const ofRange = (range: Range, depth: number): Origin => {
    const { tokens, source } = program
    const first = tokens[range.from]
    if (first === undefined || range.from >= range.to || depth >= DEEPEST) return 'unknown'
    const strings = tokens.slice(range.from, Math.min(range.to, range.from + 40))
    if (strings.every(({ kind }) => kind === 'string' || kind === 'number'))
      return worst(
        strings.flatMap(({ pieces = [] }) =>
          pieces.map((piece) =>
            piece.kind === 'hole' ? originAt(piece.expression, range.from, depth) : 'own',
          ),
        ),
      )
    const end = tokens[range.to - 1]?.end ?? first.end
    return originAt(source.text.slice(first.start, Math.min(end, first.start + 400)), range.from, depth)
  }
  /** One of several parts may be anything when nothing shows where the whole is from. */
  const taken = (range: Range, depth: number): Origin => {
    const origin = ofRange(range, depth)
    return origin === 'own' ? 'unknown' : origin
  }
  const ofParameter = (scope: Scope, name: string, depth: number): Origin => {
    if (scope.isHandler) return isPlumbing(name) ? 'unknown' : 'direct'
    if (scope.name === '' || depth >= DEEPEST) return 'unknown'
    const index = scope.parameters.findIndex(({ names }) => names.includes(name))
    const parameter = scope.parameters[index]
    if (parameter === undefined) return 'unknown'
    const given = callsOf(scope.name)
      .slice(0, MOST_CALLERS)
      .flatMap((call) => argumentFor(program, call.args, { parameter, index, name }) ?? [])
    const origin = worst(given.map((range) => ofRange(range, depth + 1)))
    return origin === 'own' ? 'unknown' : origin
  }
  return (expression, at) => originAt(expression, at, 0)
}

/** Of text, numbers and empty lists. */
const isLiteral = (expression: string): boolean =>
  /^\s*(?:(?:[rbfu]{0,2}["'`][\s\S]*)|-?[\d._]+|\[\s*\]|\{\s*\}|None|null|undefined|True|False|true|false|["'`]{2})\s*$/.test(
    expression,
  )

/** What a call gives for a parameter: by name, by its place, or by its field in an object. */
export const argumentFor = (
  program: Program,
  args: readonly (Range & { readonly name: string | undefined })[],
  wanted: { readonly parameter: Parameter; readonly index: number; readonly name: string },
): Range | undefined => {
  const { parameter, index, name } = wanted
  const byName = args.find((one) => one.name === name)
  if (byName !== undefined) return byName
  const inOrder = args[index]
  if (inOrder === undefined || inOrder.name !== undefined) return undefined
  if (!parameter.isObject) return inOrder
  if (program.tokens[inOrder.from]?.text !== '{') return undefined
  const field = argumentsOf(program, inOrder.from).find(
    (entry) => (entry.name ?? program.tokens[entry.from]?.text) === name,
  )
  return field
}
