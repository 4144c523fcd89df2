import { argumentsOf, type Program } from './program.ts'

/** What a name of this file is in another one; without `name` it is the module itself. */
export interface Import {
  readonly module: string
  readonly name: string | undefined
}

/** The imports of a file by the name they have in it. Only those that stand at the beginning of a line. */
export const importsIn = (program: Program): ReadonlyMap<string, Import> => {
  const found = new Map<string, Import>()
  const isPython = program.source.language !== 'typescript'
  program.tokens.forEach(({ kind, text }, at) => {
    if (kind !== 'name' || (program.margins[at] ?? -1) < 0) return
    if (isPython && text === 'from') fromPython(program, at, found)
    else if (isPython && text === 'import') plainPython(program, at, found)
    else if (text === 'import') fromTypescript(program, at, found)
  })
  return found
}

/** Names of one statement, at most this many tokens. */
const LONGEST = 300

/** `from .a.b import (C as D, E)`. */
const fromPython = ({ tokens, margins }: Program, at: number, found: Map<string, Import>): void => {
  let module = ''
  let index = at + 1
  while (index < at + 40 && tokens[index]?.text !== 'import') module += tokens[index++]?.text ?? ''
  if (tokens[index]?.text !== 'import') return
  const isList = tokens[index + 1]?.text === '('
  for (index += isList ? 2 : 1; index < at + LONGEST; index++) {
    const token = tokens[index]
    if (token === undefined || token.text === ')' || (!isList && (margins[index] ?? -1) >= 0)) return
    if (token.kind !== 'name') continue
    const isRenamed = tokens[index + 1]?.text === 'as'
    found.set((isRenamed ? tokens[index + 2]?.text : token.text) ?? '', { module, name: token.text })
    if (isRenamed) index += 2
  }
}

/** `import a.b as c` and `import a`. */
const plainPython = ({ tokens }: Program, at: number, found: Map<string, Import>): void => {
  let module = tokens[at + 1]?.text ?? ''
  let index = at + 2
  while (index < at + 40 && tokens[index]?.text === '.') {
    module += `.${tokens[index + 1]?.text ?? ''}`
    index += 2
  }
  const alias = tokens[index]?.text === 'as' ? tokens[index + 1]?.text : module
  if (alias !== undefined && !alias.includes('.')) found.set(alias, { module, name: undefined })
}

/** `import D, { A, B as C } from './x'` and `import * as P from './x'`. */
const fromTypescript = (program: Program, at: number, found: Map<string, Import>): void => {
  const { tokens } = program
  let from = at + 1
  while (
    from < at + LONGEST &&
    tokens[from] !== undefined &&
    tokens[from]?.text !== 'from' &&
    tokens[from]?.kind !== 'string'
  )
    from++
  const module = tokens[from + 1]?.text.slice(1, -1)
  if (tokens[from]?.text !== 'from' || module === undefined) return
  for (let index = at + 1; index < from; index++) {
    const token = tokens[index]
    if (token?.text === '{') {
      for (const { from: first, to } of argumentsOf(program, index)) {
        const name = tokens[tokens[first]?.text === 'type' && to - first > 1 ? first + 1 : first]?.text ?? ''
        found.set(tokens[to - 1]?.text ?? name, { module, name })
      }
      return
    }
    if (token?.text === '*') found.set(tokens[index + 2]?.text ?? '', { module, name: undefined })
    else if (token?.kind === 'name' && index === at + 1) found.set(token.text, { module, name: 'default' })
  }
}
