import type { Program, Range } from './program.ts'
import type { Piece } from './tokens.ts'

const WRAPPERS = ['dedent', 'cleandoc', 'str', 'raw', 'stripIndent', 'oneLine', 'outdent', 'dedentString']

/** Tokens of one expression; keeps deep nesting from costing more than the file is long. */
const LONGEST = 2000

/** The text that an expression makes, where that can be read: literals joined by `+`, `\` or nothing, with names between. */
export const piecesOf = (program: Program, { from, to }: Range): readonly Piece[] | undefined => {
  if (to - from > LONGEST) return undefined
  const pieces: Piece[] = []
  const isChoice = hasChoice(program, { from, to })
  let strings = 0
  let at = from
  while (at < to) {
    const token = program.tokens[at]
    if (token === undefined) break
    if (token.kind === 'string') {
      pieces.push(...(token.pieces ?? []))
      strings++
      at++
    } else if (token.kind === 'name' && WRAPPERS.includes(lastOfPath(program, at, to).name)) {
      at = lastOfPath(program, at, to).after
    } else if (token.kind === 'name') {
      const end = operandEnd(program, at, to)
      const expression = program.source.text.slice(token.start, program.tokens[end - 1]?.end ?? token.end)
      if (!isChoice && expression.length <= 200)
        pieces.push({
          kind: 'hole',
          expression,
          start: token.start,
          end: token.start + expression.length,
          isCode: true,
        })
      at = end
    } else if (token.text === '.') at = afterMethod(program, at, to)
    else if (token.text === '%') break
    else if ('+()'.includes(token.text) || isChoice) at++
    else return undefined
  }
  return strings > 0 ? pieces : undefined
}

const hasChoice = ({ tokens }: Program, { from, to }: Range): boolean => {
  for (let at = from; at < to; at++) {
    const token = tokens[at]
    if (token?.kind === 'name' && (token.text === 'if' || token.text === 'or')) return true
    if (token?.kind === 'operator' && (token.text === '?' || token.text === '|')) return true
  }
  return false
}

const lastOfPath = ({ tokens }: Program, from: number, to: number): { name: string; after: number } => {
  let at = from
  while (at + 2 < to && tokens[at + 1]?.text === '.' && tokens[at + 2]?.kind === 'name') at += 2
  return { name: tokens[at]?.text ?? '', after: at + 1 }
}

/** Past a name with its members, calls and indexes. */
const operandEnd = ({ tokens, closes }: Program, from: number, to: number): number => {
  let at = from + 1
  while (at < to) {
    const text = tokens[at]?.text
    if (tokens[at]?.kind !== 'operator') break
    if (text === '.') at += 2
    else if (text === '(' || text === '[') at = (closes.get(at) ?? to) + 1
    else break
  }
  return Math.min(at, to)
}

const afterMethod = ({ tokens, closes }: Program, at: number, to: number): number => {
  const open = at + 2
  if (tokens[open]?.text !== '(') return open
  return Math.min((closes.get(open) ?? to) + 1, to)
}
