import { callsIn } from './calls.ts'
import { argumentsOf, type Program } from './program.ts'
import { textOf, type Value } from './value.ts'
import { valueAt } from './code-values.ts'

/** `name=value`, `name: value` or `"name": value`, wherever it stands. */
export interface Setting {
  readonly name: string
  readonly value: Value
  /** The call it is an argument of, or an empty text. */
  readonly owner: string
  /** Of the name. */
  readonly start: number
  readonly end: number
}

export const codeSettings = (program: Program): readonly Setting[] => {
  const { tokens } = program
  const ofCalls = callsIn(program).flatMap(({ name, args }) =>
    args.map((argument) => ({ argument, owner: name })),
  )
  const ofObjects = tokens.flatMap((token, at) =>
    token.kind === 'operator' && token.text === '{'
      ? argumentsOf(program, at).map((argument) => ({ argument, owner: '' }))
      : [],
  )
  const named = [...ofCalls, ...ofObjects].flatMap(({ argument, owner }) => {
    if (argument.name === undefined) return []
    const value = valueAt(program, argument)
    return [{ name: argument.name, value, owner, start: tokens[argument.nameAt]?.start ?? 0, end: value.end }]
  })
  return [...named, ...assigned(program)]
}

/** `config.name = value` and `name = value` of one token. */
const assigned = (program: Program): readonly Setting[] =>
  program.tokens.flatMap((token, at) => {
    const name = program.tokens[at - 1]
    if (token.kind !== 'operator' || token.text !== '=' || name?.kind !== 'name') return []
    const next = program.tokens[at + 1]
    if (next === undefined || next.kind === 'operator') return []
    const value = valueAt(program, { from: at + 1, to: at + 2 })
    return [{ name: name.text, value, owner: '', start: name.start, end: value.end }]
  })

export const dataSettings = (root: Value): readonly Setting[] => {
  const found: Setting[] = []
  const walk = (value: Value, depth: number): void => {
    if (depth > 60) return
    if (value.kind === 'list') for (const item of value.items()) walk(item, depth + 1)
    if (value.kind === 'object')
      for (const { key, value: inner, start, end } of value.entries()) {
        found.push({ name: key, value: inner, owner: '', start, end })
        walk(inner, depth + 1)
      }
  }
  walk(root, 0)
  return found
}

/** `true`, `none`, a number or the text of a string, in small letters. */
export const settingWord = (value: Value): string => textOf(value).trim().toLowerCase()
