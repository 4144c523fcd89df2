import { argumentsOf, type Program, type Range } from './program.ts'
import type { Scope, Scopes } from './scopes.ts'
import { expressionEnd } from './statement.ts'

/** A value that a name is given. `path` is `name`, `self.name`, `Class.name` or `name.key`. */
export interface Binding {
  readonly path: string
  readonly value: Range
  /** `set`: `=`. `add`: `+=`. `item`: `.append(…)`. `part`: one of several names, or of a loop: only where it comes from counts. */
  readonly how: 'set' | 'add' | 'item' | 'part'
  readonly scope: Scope | undefined
}

export const bindingsIn = (program: Program, scopes: Scopes): readonly Binding[] => {
  const { tokens } = program
  const isPython = program.source.language !== 'typescript'
  const brackets: string[] = []
  return tokens.flatMap(({ kind, text }, at): readonly Binding[] => {
    if (kind === 'name') {
      if (text === 'append' || text === 'push' || text === 'extend') return appended(program, scopes, at)
      return text === 'for' ? looped(program, scopes, at) : []
    }
    if (kind !== 'operator') return []
    if ('([{'.includes(text)) brackets.push(text)
    else if (')]}'.includes(text)) brackets.pop()
    else if (
      text === '=' &&
      (isPython ? brackets.length === 0 : brackets.at(-1) !== '(' && brackets.at(-1) !== '[')
    )
      return assigned(program, scopes, at)
    return []
  })
}

const assigned = (program: Program, scopes: Scopes, at: number): readonly Binding[] => {
  const { tokens } = program
  const before = tokens[at - 1]
  const after = tokens[at + 1]
  if (
    after === undefined ||
    '=>'.includes(after.text) ||
    (before?.kind === 'operator' && '=!<>*-/|&%:'.includes(before.text))
  )
    return []
  const isAdded = before?.text === '+'
  const target = targetOf(program, isAdded ? at - 2 : at - 1)
  if (target === undefined) return []
  const value = { from: at + 1, to: expressionEnd(program, at + 1) }
  const [scope] = scopes.around(at)
  if (target.paths.length > 1) return target.paths.map((path) => ({ path, value, how: 'part', scope }))
  const [path = ''] = target.paths
  const owned = scope?.kind === 'class' && !path.includes('.') ? `${scope.name}.${path}` : path
  return [
    { path: owned, value, how: isAdded ? 'add' : 'set', scope: scope?.kind === 'class' ? undefined : scope },
  ]
}

/** Names with their members, at most this many tokens. */
const LONGEST_TARGET = 24

/** What stands left of the sign whose last token is at `last`: it must begin a statement. */
const targetOf = (program: Program, last: number): { readonly paths: readonly string[] } | undefined => {
  const { tokens, margins } = program
  let first = openingOf(program, last)
  while (first > last - LONGEST_TARGET && first > 0 && !beginsStatement(program, first)) first--
  if ((margins[first] ?? -1) < 0 && !beginsStatement(program, first)) return undefined
  while (
    /^(?:export|const|let|var|readonly|static|private|public|protected|declare)$/.test(
      tokens[first]?.text ?? '',
    )
  )
    first++
  if (tokens[first]?.text === '{' || tokens[first]?.text === '[')
    return { paths: namesBetween(program, first, last) }
  const { path, after } = pathAt(program, first)
  if (path === '') return undefined
  if (after > last || tokens[after]?.text === ':') return { paths: [path] }
  return tokens[after]?.text === ',' ? { paths: namesBetween(program, first, last) } : undefined
}

/** The bracket that a closing one at `last` belongs to: names that are taken out of an object or list. */
const openingOf = ({ tokens, closes }: Program, last: number): number => {
  if (!'}]'.includes(tokens[last]?.text ?? ' ')) return last
  for (let at = last; at > last - LONGEST_TARGET * 4; at--) if (closes.get(at) === last) return at
  return last
}

const beginsStatement = ({ tokens, margins }: Program, at: number): boolean =>
  (margins[at] ?? -1) >= 0 ||
  ';{'.includes(tokens[at - 1]?.text ?? ' ') ||
  /^(?:const|let|var)$/.test(tokens[at]?.text ?? '')

const namesBetween = ({ tokens }: Program, from: number, to: number): readonly string[] => [
  ...new Set(tokens.slice(from, to + 1).flatMap(({ kind, text }) => (kind === 'name' ? [text] : []))),
  '',
]

/** `a.b`, `a["b"]` as `a.b`, and the index of the token after it. */
export const pathAt = (
  { tokens }: Program,
  from: number,
): { readonly path: string; readonly after: number } => {
  const root = tokens[from]
  if (root?.kind !== 'name') return { path: '', after: from }
  let path = root.text
  let at = from + 1
  for (let steps = 0; steps < 6; steps++) {
    const member = tokens[at + 1]
    if (tokens[at]?.text === '?' && member?.text === '.') at++
    else if (tokens[at]?.text === '.' && member?.kind === 'name') {
      path += `.${member.text}`
      at += 2
    } else if (tokens[at]?.text === '[' && member?.kind === 'string' && tokens[at + 2]?.text === ']') {
      path += `.${member.text.slice(1, -1)}`
      at += 3
    } else break
  }
  return { path, after: at }
}

const appended = (program: Program, scopes: Scopes, at: number): readonly Binding[] => {
  const { tokens } = program
  if (tokens[at - 1]?.text !== '.' || tokens[at + 1]?.text !== '(') return []
  let first = at - 2
  while (first > at - LONGEST_TARGET && tokens[first - 1]?.text === '.' && tokens[first - 2]?.kind === 'name')
    first -= 2
  const { path } = pathAt(program, first)
  const owner = path.slice(0, path.lastIndexOf('.'))
  const [scope] = scopes.around(at)
  return argumentsOf(program, at + 1).map((value) => ({ path: owner, value, how: 'item', scope }))
}

/** `for x in values:` and `for (const x of values)`. */
const looped = (program: Program, scopes: Scopes, at: number): readonly Binding[] => {
  const { tokens } = program
  let sign = at + 1
  while (sign < at + 12 && tokens[sign]?.text !== 'in' && tokens[sign]?.text !== 'of') sign++
  if (sign === at + 12) return []
  let to = sign + 1
  while (to < sign + 40 && tokens[to] !== undefined && !'):'.includes(tokens[to]?.text ?? '')) {
    const close =
      tokens[to]?.kind === 'operator' && '([{'.includes(tokens[to]?.text ?? ' ')
        ? program.closes.get(to)
        : undefined
    to = (close ?? to) + 1
  }
  const value = { from: sign + 1, to }
  const [scope] = scopes.around(at)
  return namesBetween(program, at + 1, sign - 1).map((path) => ({ path, value, how: 'part', scope }))
}
