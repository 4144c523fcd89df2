import { argumentsOf, type Program, type Range } from './program.ts'
import { expressionEnd } from './statement.ts'

/** A parameter. One that takes an object apart has the names of its fields. */
export interface Parameter {
  readonly names: readonly string[]
  readonly isObject: boolean
}

/** The body of a function or class, as tokens. */
export interface Scope extends Range {
  readonly kind: 'function' | 'class'
  /** Empty for a function without one. */
  readonly name: string
  /** Without `self` and `cls`. */
  readonly parameters: readonly Parameter[]
  /** It answers requests of a web server, so its parameters come from outside. */
  readonly isHandler: boolean
}

export interface Scopes {
  readonly all: readonly Scope[]
  /** The scopes around a token, the innermost first. */
  readonly around: (at: number) => readonly Scope[]
}

export const scopesIn = (program: Program): Scopes => {
  const all = [...(program.source.language === 'typescript' ? typescript(program) : python(program))].sort(
    (one, two) => one.from - two.from || two.to - one.to,
  )
  const owner = new Int32Array(program.tokens.length).fill(-1)
  const parents: number[] = []
  all.forEach(({ from, to }, index) => {
    parents.push(owner[from] ?? -1)
    owner.fill(index, from, Math.min(to, owner.length))
  })
  const around = (at: number): readonly Scope[] => {
    const found: Scope[] = []
    for (let index = owner[at] ?? -1; index >= 0 && found.length < 20; index = parents[index] ?? -1) {
      const scope = all[index]
      if (scope !== undefined) found.push(scope)
    }
    return found
  }
  return { all, around }
}

const HANDLER =
  /^@[\w.]{1,80}\.(?:get|post|put|patch|delete|websocket|route|api_route|on_message|message)$|^@api_view$/

const python = (program: Program): readonly Scope[] => {
  const { tokens, margins } = program
  const found: Scope[] = []
  const open: { readonly margin: number; readonly scope: Omit<Scope, 'to'> }[] = []
  let depth = 0
  let decorator = ''
  const close = (margin: number, to: number): void => {
    while (margin <= (open.at(-1)?.margin ?? -1)) {
      const ended = open.pop()
      if (ended !== undefined) found.push({ ...ended.scope, to })
    }
  }
  tokens.forEach((token, at) => {
    const margin = margins[at] ?? -1
    if (token.kind === 'operator' && '([{'.includes(token.text)) depth++
    else if (token.kind === 'operator' && ')]}'.includes(token.text)) depth = Math.max(0, depth - 1)
    else if (depth === 0) {
      if (margin >= 0) close(margin, at)
      if (margin >= 0 && token.text === '@') decorator = decoratorAt(program, at)
      const isAsync = token.text === 'def' && tokens[at - 1]?.text === 'async'
      const own = isAsync ? (margins[at - 1] ?? -1) : margin
      if (own < 0 || !['def', 'class'].includes(token.text)) return
      open.push({ margin: own, scope: pythonScope(program, at, decorator) })
      decorator = ''
    }
  })
  close(Number.MAX_SAFE_INTEGER, tokens.length)
  while (open.length > 0) close(open.at(-1)?.margin ?? 0, tokens.length)
  return found
}

const decoratorAt = ({ tokens }: Program, at: number): string => {
  let name = '@'
  for (let index = at + 1; index < at + 14 && /^[\w.]+$/.test(tokens[index]?.text ?? ''); index++)
    name += tokens[index]?.text ?? ''
  return name
}

const pythonScope = (program: Program, at: number, decorator: string): Omit<Scope, 'to'> => {
  const isClass = program.tokens[at]?.text === 'class'
  const open = at + 2
  const has = program.tokens[open]?.text === '('
  const from = has ? (program.closes.get(open) ?? open) + 1 : open
  return {
    kind: isClass ? 'class' : 'function',
    name: program.tokens[at + 1]?.text ?? '',
    parameters: isClass || !has ? [] : parametersAt(program, open),
    isHandler: HANDLER.test(decorator),
    from,
  }
}

const parametersAt = (program: Program, open: number): readonly Parameter[] =>
  argumentsOf(program, open).flatMap((argument, index): readonly Parameter[] => {
    const { tokens } = program
    if (tokens[argument.nameAt]?.text === '{') {
      const fields = argumentsOf(program, argument.nameAt).map(
        ({ name, nameAt }) => name ?? tokens[nameAt]?.text ?? '',
      )
      return [{ names: fields, isObject: true }]
    }
    const name =
      argument.name ??
      tokens.slice(argument.nameAt, argument.nameAt + 3).find(({ kind }) => kind === 'name')?.text
    if (name === undefined || (index === 0 && (name === 'self' || name === 'cls'))) return []
    return [{ names: [name], isObject: false }]
  })

const NO_METHODS = 'if for while switch catch with return function await typeof new super constructor'.split(
  ' ',
)

const typescript = (program: Program): readonly Scope[] => {
  const opens = new Map([...program.closes].map(([open, close]) => [close, open]))
  return program.tokens.flatMap(({ kind, text }, at): readonly Scope[] => {
    if (kind === 'name' && text === 'class') return classAt(program, at)
    if (kind === 'name' && text === 'function') return functionAt(program, at)
    if (kind === 'name' && program.tokens[at + 1]?.text === '(' && !NO_METHODS.includes(text))
      return methodAt(program, at)
    return text === '=' && program.tokens[at + 1]?.text === '>' ? arrowAt(program, at, opens) : []
  })
}

const scope = (name: string, parameters: readonly Parameter[], range: Range): Scope => ({
  kind: 'function',
  name,
  parameters,
  isHandler: false,
  ...range,
})

const classAt = (program: Program, at: number): readonly Scope[] => {
  const { tokens, closes } = program
  let open = at + 1
  while (open < at + 20 && tokens[open]?.text !== '{') open++
  const to = closes.get(open)
  return to === undefined
    ? []
    : [{ ...scope(tokens[at + 1]?.text ?? '', [], { from: open + 1, to }), kind: 'class' }]
}

const functionAt = (program: Program, at: number): readonly Scope[] => {
  let open = at + 1
  while (open < at + 12 && program.tokens[open]?.text !== '(') open++
  const name = program.tokens[at + 1]
  return bodyAfter(program, open, name?.kind === 'name' ? name.text : '')
}

const methodAt = (program: Program, at: number): readonly Scope[] => {
  const before = program.tokens[at - 1]
  if (before?.text === '.' || before?.text === 'function' || before?.text === 'new') return []
  return bodyAfter(program, at + 1, program.tokens[at]?.text ?? '')
}

/** `(…) {` and `(…): Type {`. */
const bodyAfter = (program: Program, open: number, name: string): readonly Scope[] => {
  const { tokens, closes } = program
  const close = closes.get(open)
  if (tokens[open]?.text !== '(' || close === undefined) return []
  let brace = close + 1
  if (tokens[brace]?.text === ':')
    while (brace < close + 20 && tokens[brace]?.text !== '{' && !'();'.includes(tokens[brace]?.text ?? ';'))
      brace++
  const to = closes.get(brace)
  if (tokens[brace]?.text !== '{' || to === undefined) return []
  return [scope(name, parametersAt(program, open), { from: brace + 1, to })]
}

const arrowAt = (program: Program, at: number, opens: ReadonlyMap<number, number>): readonly Scope[] => {
  const { tokens, closes } = program
  let last = at - 1
  if (tokens[last]?.text !== ')' && !isAlone(program, last))
    while (last > at - 30 && !(tokens[last]?.text === ')' && tokens[last + 1]?.text === ':')) last--
  const first = tokens[last]?.text === ')' ? opens.get(last) : isAlone(program, last) ? last : undefined
  if (first === undefined) return []
  const parameters =
    first === last ? [{ names: [tokens[last]?.text ?? ''], isObject: false }] : parametersAt(program, first)
  const isBlock = tokens[at + 2]?.text === '{'
  const range = isBlock
    ? { from: at + 3, to: Math.min(closes.get(at + 2) ?? tokens.length, tokens.length) }
    : { from: at + 2, to: expressionEnd(program, at + 2) }
  return [scope(nameBefore(program, first), parameters, range)]
}

const isAlone = ({ tokens }: Program, at: number): boolean =>
  tokens[at]?.kind === 'name' && tokens[at - 1]?.text !== ':' && tokens[at - 1]?.text !== '>'

/** `const name = (…) =>` and `name: (…) =>`. */
const nameBefore = ({ tokens }: Program, first: number): string => {
  const at = tokens[first - 1]?.text === 'async' ? first - 2 : first - 1
  const sign = tokens[at]?.text
  const name = tokens[at - 1]
  if ((sign !== '=' && sign !== ':') || name === undefined) return ''
  return name.kind === 'name' ? name.text : name.kind === 'string' ? name.text.slice(1, -1) : ''
}
