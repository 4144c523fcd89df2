import { isNameStart, nameEnd } from './characters.ts'
import type { HolePiece, Piece, TextPiece } from './tokens.ts'

/** `brace`: `{name}`, `{{` is a brace. `jinja`: `{{ name }}` and `{% … %}`; also mustache, handlebars and promptfoo. */
export type Syntax = 'brace' | 'jinja'

/** Jinja when it has statements or doubled braces around a name and no single ones. */
export const guessSyntax = (text: string): Syntax => {
  if (text.includes('{%')) return 'jinja'
  const doubled = text.indexOf('{{')
  if (doubled < 0) return 'brace'
  return split({ kind: 'text', text, start: 0 }, 'brace').some(({ kind }) => kind === 'hole')
    ? 'brace'
    : 'jinja'
}

/** Finds the holes of a template inside its texts; holes that are there already stay. */
export const withHoles = (pieces: readonly Piece[], syntax: Syntax): readonly Piece[] =>
  pieces.flatMap((piece) => (piece.kind === 'hole' ? [piece] : split(piece, syntax)))

const split = (piece: TextPiece, syntax: Syntax): readonly Piece[] => {
  const pieces: Piece[] = []
  let from = 0
  const readHole = syntax === 'brace' ? braceHole : jinjaHole
  for (let at = piece.text.indexOf('{'); at >= 0;) {
    const hole = readHole(piece.text, at)
    if (hole.expression !== undefined) {
      if (at > from) pieces.push({ ...piece, text: piece.text.slice(from, at), start: piece.start + from })
      pieces.push({
        kind: 'hole',
        expression: hole.expression,
        start: piece.start + at,
        end: piece.start + hole.end,
        ...(piece.path === undefined ? {} : { path: piece.path }),
      } satisfies HolePiece)
      from = hole.end
    }
    at = piece.text.indexOf('{', hole.end)
  }
  if (from < piece.text.length)
    pieces.push({ ...piece, text: piece.text.slice(from), start: piece.start + from })
  return pieces
}

interface Hole {
  readonly expression: string | undefined
  readonly end: number
}

/** `{name}`, `{name.field}`, `{name[0]}`, `{name:format}`; everything else in braces is text, such as JSON. */
const braceHole = (text: string, at: number): Hole => {
  if (text.charAt(at + 1) === '{') return { expression: undefined, end: at + 2 }
  if (!isNameStart(text.charCodeAt(at + 1))) return { expression: undefined, end: at + 1 }
  let end = nameEnd(text, at + 1)
  while (text.charAt(end) === '.' || text.charAt(end) === '[' || text.charAt(end) === ']')
    end = nameEnd(text, end + 1)
  const expression = text.slice(at + 1, end)
  if (text.charAt(end) === ':' || text.charAt(end) === '!') {
    const close = text.slice(end, end + 20).indexOf('}')
    if (close < 0 || /[\s"']/.test(text.slice(end, end + close)))
      return { expression: undefined, end: at + 1 }
    end += close
  }
  if (text.charAt(end) !== '}') return { expression: undefined, end: at + 1 }
  return { expression, end: end + 1 }
}

/** Statements are no holes: what they repeat has holes of its own. Helpers and partials of handlebars neither. */
const jinjaHole = (text: string, at: number): Hole => {
  if (text.charAt(at + 1) !== '{') return { expression: undefined, end: at + 1 }
  const close = text.slice(at, at + 300).indexOf('}}')
  if (close < 0) return { expression: undefined, end: at + 2 }
  const inner = text
    .slice(at + 2, at + close)
    .replaceAll('{', ' ')
    .replaceAll('-', ' ')
    .trim()
  const end = at + close + (text.charAt(at + close + 2) === '}' ? 3 : 2)
  if (inner === '' || '#/!>&%"\''.includes(inner.charAt(0))) return { expression: undefined, end }
  return { expression: inner, end }
}

/** The variable of a hole: `user` of `user.name | upper`. */
export const variableOf = (expression: string): string => {
  const name = expression.slice(0, nameEnd(expression, 0))
  return isNameStart(name.charCodeAt(0)) ? name : ''
}
