import { tokenizePython } from './python.ts'
import type { Source } from './source.ts'
import type { Token } from './tokens.ts'
import { tokenizeTypescript } from './typescript.ts'

/** Token indexes, `to` exclusive. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** Source code as tokens without comments and line ends, and which bracket closes which. */
export interface Program {
  readonly source: Source
  readonly tokens: readonly Token[]
  readonly comments: readonly Token[]
  /** The index of the closing bracket of an opening one, `tokens.length` when none closes it. */
  readonly closes: ReadonlyMap<number, number>
  /** For the first token of a line its column from 0, else -1. */
  readonly margins: Int32Array
}

export const parseProgram = (source: Source): Program => {
  const all = source.language === 'typescript' ? tokenizeTypescript(source.text) : tokenizePython(source.text)
  const tokens = all.filter(({ kind }) => kind !== 'comment' && kind !== 'newline')
  return {
    source,
    tokens,
    comments: all.filter(({ kind }) => kind === 'comment'),
    closes: pairs(tokens),
    margins: marginsOf(tokens, source.text),
  }
}

const marginsOf = (tokens: readonly Token[], text: string): Int32Array => {
  const margins = new Int32Array(tokens.length).fill(-1)
  let lineStart = 0
  let next = text.indexOf('\n')
  let before = 0
  tokens.forEach(({ start, end }, at) => {
    while (next >= 0 && next < start) {
      lineStart = next + 1
      next = text.indexOf('\n', lineStart)
    }
    if (at === 0 || before <= lineStart) margins[at] = start - lineStart
    before = end
  })
  return margins
}

/** Deeper is no program; it would cost more than its length. */
const DEEPEST = 500

const pairs = (tokens: readonly Token[]): ReadonlyMap<number, number> => {
  const closes = new Map<number, number>()
  const open: number[] = []
  tokens.forEach(({ kind, text }, index) => {
    if (kind !== 'operator') return
    if ('([{'.includes(text)) {
      if (open.length >= DEEPEST) throw new Error(`brackets nest deeper than ${DEEPEST}`)
      open.push(index)
    } else if (')]}'.includes(text)) {
      const from = open.pop()
      if (from !== undefined) closes.set(from, index)
    }
  })
  for (const from of open) closes.set(from, tokens.length)
  return closes
}

/** One argument of a call, element of a list or entry of an object. */
export interface Argument extends Range {
  readonly name: string | undefined
  /** Index of the token that names it. */
  readonly nameAt: number
}

/** What stands between the bracket at `open` and the one that closes it, split at the commas of that level. */
export const argumentsOf = (program: Program, open: number): readonly Argument[] => {
  const end = Math.min(program.closes.get(open) ?? program.tokens.length, program.tokens.length)
  const found: Argument[] = []
  let from = open + 1
  for (let at = open + 1; at <= end; at++) {
    const token = program.tokens[at]
    if (at < end && token?.kind === 'operator' && '([{'.includes(token.text)) {
      at = Math.min(program.closes.get(at) ?? end, end - 1)
      continue
    }
    if (at === end || (token?.kind === 'operator' && token.text === ',')) {
      if (at > from) found.push(named(program, { from, to: at }))
      from = at + 1
    }
  }
  return found
}

/** `name=value` and `name: value`, also `"name": value`; `...name` and a bare `name` of TypeScript stay unnamed. */
const named = ({ tokens }: Program, range: Range): Argument => {
  const first = tokens[range.from]
  const second = tokens[range.from + 1]
  const third = tokens[range.from + 2]
  const isSeparator =
    second?.kind === 'operator' && (second.text === ':' || (second.text === '=' && third?.text !== '='))
  if (range.to - range.from >= 3 && isSeparator && first !== undefined) {
    const name = nameOf(first)
    if (name !== undefined) return { name, nameAt: range.from, from: range.from + 2, to: range.to }
  }
  return { name: undefined, nameAt: range.from, ...range }
}

const nameOf = (token: Token): string | undefined => {
  if (token.kind === 'name') return token.text
  const [piece, ...more] = token.pieces ?? []
  return token.kind === 'string' && piece?.kind === 'text' && more.length === 0 ? piece.text : undefined
}

/** The value of a string without holes, or undefined. */
export const literalAt = ({ tokens }: Program, at: number): string | undefined => {
  const token = tokens[at]
  if (token?.kind !== 'string') return undefined
  const pieces = token.pieces ?? []
  if (pieces.length === 0) return ''
  const [piece] = pieces
  return pieces.length === 1 && piece?.kind === 'text' ? piece.text : undefined
}
