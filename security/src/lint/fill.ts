import { withHoles, variableOf, type Syntax } from './holes.ts'
import type { HolePiece, Piece } from './tokens.ts'

/** How a template writes its holes: `format` also counts them, `percent` is `%s`, `dollar` is `$name`. */
export type Notation = Syntax | 'format' | 'percent' | 'dollar'

/** What is put into a hole. Undefined leaves the hole as it is. */
export type Fill = (hole: HolePiece, index: number) => readonly Piece[] | undefined

/** Holes of a template in one notation, each replaced by what fills it. */
export const filled = (pieces: readonly Piece[], syntax: Notation, fill: Fill): readonly Piece[] => {
  let index = 0
  return split(pieces, syntax).flatMap((piece): readonly Piece[] =>
    piece.kind === 'hole' && piece.trust === undefined ? (fill(piece, index++) ?? [piece]) : [piece],
  )
}

const split = (pieces: readonly Piece[], syntax: Notation): readonly Piece[] => {
  switch (syntax) {
    case 'brace':
    case 'jinja':
      return withHoles(pieces, syntax)
    case 'format':
      return marked(withHoles(pieces, 'brace'), /\{\d{0,3}\}/g)
    case 'percent':
      return marked(pieces, /%(?:\([\w.]{1,60}\))?[-+ 0#]{0,4}\d{0,3}(?:\.\d{1,3})?[sdrifgxc]/g)
    case 'dollar':
      return marked(pieces, /\$(?:\w{1,60}|\{\w{1,60}\})/g)
  }
}

/** Of one text; a template that people wrote has fewer. */
const MOST_CUTS = 1000

/** Cuts the texts at every match of a pattern; its name is what is left without signs. */
export const marked = (pieces: readonly Piece[], pattern: RegExp): readonly Piece[] =>
  pieces.flatMap((piece): readonly Piece[] => {
    if (piece.kind === 'hole') return [piece]
    const cut: Piece[] = []
    let from = 0
    for (const { 0: match, index } of piece.text.matchAll(pattern)) {
      if (cut.length >= MOST_CUTS) break
      if (index > from) cut.push({ ...piece, text: piece.text.slice(from, index), start: piece.start + from })
      from = index + match.length
      const { path } = piece
      cut.push({
        kind: 'hole',
        expression: match.replaceAll(/[^\w.]/g, ''),
        start: piece.start + index,
        end: piece.start + from,
        ...(path === undefined ? {} : { path }),
      })
    }
    if (from < piece.text.length)
      cut.push({ ...piece, text: piece.text.slice(from), start: piece.start + from })
    return cut
  })

/** The variable that a hole asks for, or its place among the others. */
export const keyOf = (hole: HolePiece, index: number): string =>
  variableOf(hole.expression.replace(/^\((.*)\)s$/, '$1')) || hole.expression || String(index)
