import { argumentsOf, type Program, type Range } from './program.ts'
import { piecesOf } from './string-expression.ts'
import type { Entry, Value } from './value.ts'

/** The literal that a range of tokens is. */
export const valueAt = (program: Program, range: Range): Value => {
  const { tokens, source } = program
  const first = tokens[range.from]
  const last = tokens[range.to - 1] ?? first
  const span = { start: first?.start ?? 0, end: last?.end ?? 0 }
  if (first?.kind === 'operator' && (first.text === '{' || first.text === '[')) {
    const close = program.closes.get(range.from)
    if (close === range.to - 1 || tokens[range.to]?.text === 'as')
      return first.text === '{'
        ? { kind: 'object', ...span, entries: () => entriesAt(program, range.from) }
        : {
            kind: 'list',
            ...span,
            items: () => argumentsOf(program, range.from).map((item) => valueAt(program, item)),
          }
  }
  const pieces = first?.kind === 'string' || first?.text === '(' ? piecesOf(program, range) : undefined
  if (pieces !== undefined) return { kind: 'string', pieces, ...span }
  return { kind: 'other', text: source.text.slice(span.start, Math.min(span.end, span.start + 200)), ...span }
}

/** The entries of the object whose brace is at `open`. */
export const entriesAt = (program: Program, open: number): readonly Entry[] =>
  argumentsOf(program, open).flatMap((argument) => {
    if (argument.name === undefined) return []
    const value = valueAt(program, argument)
    return [
      {
        key: argument.name,
        value,
        start: program.tokens[argument.nameAt]?.start ?? value.start,
        end: value.end,
      },
    ]
  })
