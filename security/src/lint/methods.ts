import { pathAt } from './bindings.ts'
import { placed, holeOf, textOrHole, type Context } from './context.ts'
import { filled, keyOf, marked, type Notation } from './fill.ts'
import { guessSyntax } from './holes.ts'
import { argumentsOf, literalAt, type Argument, type Range } from './program.ts'
import type { Piece, Token } from './tokens.ts'

/** Elements of one list that are joined. */
const MOST_ITEMS = 200

export interface MethodCall {
  readonly name: string
  /** Index of its bracket. */
  readonly open: number
}

/** What a method makes of a text: filled, joined, replaced; methods that only trim or change case leave it. */
export const applyMethod = (
  context: Context,
  text: readonly Piece[],
  { name, open }: MethodCall,
): readonly Piece[] => {
  const args = argumentsOf(context.program, open)
  switch (name) {
    case 'format':
      return fill(context, text, { notation: 'format', args })
    case 'partial':
    case 'invoke':
    case 'ainvoke':
    case 'format_prompt':
    case 'format_messages':
      return fill(context, text, { notation: guessSyntax(plainOf(text)), args })
    case 'substitute':
    case 'safe_substitute':
      return fill(context, text, { notation: 'dollar', args })
    case 'render':
      return fill(context, text, { notation: 'jinja', args })
    case 'replace':
    case 'replaceAll':
      return replaced(context, text, args)
    case 'concat':
      return [...text, ...args.flatMap((one) => textOrHole(context, one))]
    case 'join':
      return args[0] === undefined ? text : between(itemsOf(context, args[0]), text)
    default:
      return text
  }
}

const plainOf = (text: readonly Piece[]): string =>
  text.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('')

interface Filling {
  readonly notation: Notation
  readonly args: readonly Argument[]
}

const fill = (context: Context, text: readonly Piece[], { notation, args }: Filling): readonly Piece[] => {
  const { program } = context
  const entries = args.flatMap((one) =>
    program.tokens[one.from]?.text === '{' ? argumentsOf(program, one.from) : [one],
  )
  const positional = entries.filter(({ name }) => name === undefined)
  return filled(text, notation, (hole, index) => {
    const key = keyOf(hole, index)
    const bare = positional.find(({ from, to }) => to - from === 1 && isName(program.tokens[from], key))
    const placedBy =
      notation === 'format' && /^\d*$/.test(key) ? positional[Number(key === '' ? index : key)] : undefined
    const argument = entries.find(({ name }) => name === key) ?? bare ?? placedBy
    return argument === undefined ? undefined : placed(textOrHole(context, argument), hole)
  })
}

const isName = (token: Token | undefined, name: string): boolean =>
  token?.kind === 'name' && token.text === name

/** `"…%s…" % name`, `% (a, b)` and `% {"a": b}`. */
export const percent = (context: Context, text: readonly Piece[], right: Range): readonly Piece[] => {
  const { program } = context
  const opening = program.tokens[right.from]?.text ?? ''
  const args =
    opening === '(' || opening === '{'
      ? argumentsOf(program, right.from)
      : [{ ...right, name: undefined, nameAt: right.from }]
  return filled(text, 'percent', (hole, index) => {
    const key = hole.expression.replace(/[a-z]$/, '')
    const argument = args.find(({ name }) => name !== undefined && name === key) ?? args[index]
    return argument === undefined ? undefined : placed(textOrHole(context, argument), hole)
  })
}

const replaced = (
  context: Context,
  text: readonly Piece[],
  [first, second]: readonly Argument[],
): readonly Piece[] => {
  const mark = first === undefined ? undefined : literalAt(context.program, first.from)
  if (mark === undefined || mark.trim() === '' || mark.length > 100 || second === undefined) return text
  const put = textOrHole(context, second)
  const pattern = new RegExp(mark.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'g')
  return marked(text, pattern).flatMap((piece) =>
    piece.kind === 'hole' && piece.trust === undefined ? placed(put, piece) : [piece],
  )
}

/** The elements of a list, or of the list that a name stands for; one hole when neither can be read. */
export const itemsOf = (context: Context, range: Range): readonly (readonly Piece[])[] => {
  const { program } = context
  const { path, after } = pathAt(program, range.from)
  const isName = path !== '' && after >= range.to
  const list =
    program.tokens[range.from]?.text === '['
      ? argumentsOf(program, range.from)
      : isName
        ? context.listOf(path, range.from)
        : undefined
  return list === undefined
    ? [[holeOf(context, range)]]
    : list.slice(0, MOST_ITEMS).map((item) => textOrHole(context, item))
}

export const between = (
  items: readonly (readonly Piece[])[],
  separator: readonly Piece[],
): readonly Piece[] => items.flatMap((item, index) => (index === 0 ? item : [...separator, ...item]))
