import { argumentsOf, type Argument, type Program } from './program.ts'
import type { Token } from './tokens.ts'

/** `owner.name(…)`: `client.messages.create(…)` has the name `create` and the path `client.messages.create`. */
export interface Call {
  readonly name: string
  readonly path: string
  readonly at: number
  readonly open: number
  readonly close: number
  readonly args: readonly Argument[]
}

/** Every call of the program, in order. Nested ones too. */
export const callsIn = (program: Program): readonly Call[] => {
  const calls: Call[] = []
  program.tokens.forEach((token, at) => {
    if (token.kind !== 'name' || isDefinition(program.tokens[at - 1])) return
    const open = openAfter(program, at)
    if (open === undefined) return
    calls.push({
      name: token.text,
      path: pathTo(program, at),
      at,
      open,
      close: Math.min(program.closes.get(open) ?? program.tokens.length, program.tokens.length),
      args: argumentsOf(program, open),
    })
  })
  return calls
}

const isDefinition = (before: Token | undefined): boolean =>
  before?.kind === 'name' && ['def', 'class', 'function'].includes(before.text)

/** The bracket of `name(` and of `name<Type>(`. */
const openAfter = ({ tokens, source }: Program, at: number): number | undefined => {
  const after = tokens[at + 1]
  if (after?.kind !== 'operator') return undefined
  if (after.text === '(') return at + 1
  if (after.text !== '<' || source.language !== 'typescript') return undefined
  for (let index = at + 2; index < at + 8; index++) {
    if (tokens[index]?.text === '>') return tokens[index + 1]?.text === '(' ? index + 1 : undefined
  }
  return undefined
}

const LONGEST_PATH = 12

const pathTo = ({ tokens }: Program, at: number): string => {
  const names = [tokens[at]?.text ?? '']
  for (let index = at - 1; names.length < LONGEST_PATH; index -= 2) {
    const owner = tokens[index - 1]
    if (tokens[index]?.text !== '.' || owner?.kind !== 'name') break
    names.unshift(owner.text)
  }
  return names.join('.')
}
