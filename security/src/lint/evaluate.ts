import { pathAt } from './bindings.ts'
import { holeOf, textOrHole, type Context } from './context.ts'
import { applyMethod, between, itemsOf, percent } from './methods.ts'
import { argumentsOf, type Argument, type Program, type Range } from './program.ts'
import { piecesOf } from './string-expression.ts'
import type { Piece } from './tokens.ts'

const WRAPPERS = [
  'dedent',
  'cleandoc',
  'str',
  'raw',
  'stripIndent',
  'oneLine',
  'outdent',
  'dedentString',
  'String',
]
const TEMPLATES =
  /^(?:Template|from_template|fromTemplate|from_string|PromptTemplate|RichPromptTemplate|ChatPromptTemplate|\w+MessagePromptTemplate|PromptBuilder|Prompt|SystemMessage|HumanMessage)$/
const MOST_PIECES = 500
const LONGEST = 2000

/** See `Context.evaluate`. Alternatives of a choice are one text: what stands in any of them may be sent. */
export const evaluate = (context: Context, range: Range): readonly Piece[] | undefined => {
  const { program } = context
  const { from, to } = unwrapped(program, range)
  if (to <= from || to - from > LONGEST) return undefined
  if (hasChoice(program, { from, to })) return piecesOf(program, { from, to })
  const { terms, sign } = operatorsIn(program, { from, to })
  if (sign !== undefined) {
    const text = context.evaluate({ from, to: sign })
    return text === undefined ? undefined : percent(context, text, { from: sign + 1, to })
  }
  const made = terms.map((one) => ({ one, pieces: termOf(context, one) }))
  if (!made.some(({ pieces }) => pieces !== undefined)) return undefined
  return made.flatMap(({ one, pieces }) => pieces ?? [holeOf(context, one)]).slice(0, MOST_PIECES)
}

const termOf = (context: Context, range: Range): readonly Piece[] | undefined => {
  const { tokens, closes } = context.program
  const { to } = range
  let { from } = range
  while (['await', 'new', 'return'].includes(tokens[from]?.text ?? '')) from++
  const first = tokens[from]
  if (first?.kind === 'string') {
    const pieces: Piece[] = []
    let at = from
    while (at < to && tokens[at]?.kind === 'string') pieces.push(...literal(context, at++))
    return trailed(context, pieces, { from: at, to })
  }
  if (first?.text === '(') {
    const close = closes.get(from) ?? to
    const isOne = argumentsOf(context.program, from).length === 1
    const pieces = isOne ? context.evaluate({ from: from + 1, to: close }) : undefined
    return pieces === undefined ? undefined : trailed(context, pieces, { from: close + 1, to })
  }
  if (first?.text === '[') return joinedList(context, { from, to })
  return first?.kind === 'name' ? named(context, { from, to }) : undefined
}

/** f-strings and template literals: a hole that names a text is that text. */
const literal = (context: Context, at: number): readonly Piece[] =>
  (context.program.tokens[at]?.pieces ?? []).flatMap((piece): readonly Piece[] => {
    if (piece.kind === 'text') return [piece]
    const text = /^[\w.$]{1,100}$/.test(piece.expression) ? context.textOf(piece.expression, at) : undefined
    return text ?? [context.hole(piece.expression, { start: piece.start, end: piece.end, at })]
  })

const named = (context: Context, { from, to }: Range): readonly Piece[] | undefined => {
  const { program } = context
  const { path, after } = pathAt(program, from)
  const last = path.slice(path.lastIndexOf('.') + 1)
  const next = program.tokens[after]
  if (after >= to) return context.textOf(path, from)
  if (next?.kind === 'string' && WRAPPERS.includes(last))
    return trailed(context, literal(context, after), { from: after + 1, to })
  if (next?.text !== '(') return undefined
  const rest = { from: (program.closes.get(after) ?? to) + 1, to }
  const made = madeBy(context, { path, last, at: from, open: after })
  return made === undefined ? undefined : trailed(context, made, rest)
}

interface NamedCall {
  readonly path: string
  readonly last: string
  readonly at: number
  readonly open: number
}

const madeBy = (context: Context, { path, last, at, open }: NamedCall): readonly Piece[] | undefined => {
  const args = argumentsOf(context.program, open)
  const [first] = args
  if (WRAPPERS.includes(last)) return first === undefined ? undefined : context.evaluate(first)
  if (TEMPLATES.test(last)) {
    const template = args.find(({ name }) => name === 'template' || name === 'content') ?? first
    return template === undefined ? undefined : context.evaluate(template)
  }
  const called = context.called(path, { at, args })
  if (called !== undefined || !path.includes('.')) return called
  const owner = path.slice(0, path.lastIndexOf('.'))
  if (last === 'join' && context.program.source.language === 'typescript') {
    const list = context.listOf(owner, at)
    return list === undefined ? undefined : joinedBy(context, list, first)
  }
  const text = context.textOf(owner, at)
  return text === undefined ? undefined : applyMethod(context, text, { name: last, open })
}

/** `.strip()`, `.format(…)` and their like after a text. */
const trailed = (context: Context, pieces: readonly Piece[], { from, to }: Range): readonly Piece[] => {
  const { tokens, closes } = context.program
  let text = pieces
  let at = from
  while (at + 2 < to && tokens[at]?.text === '.' && tokens[at + 2]?.text === '(') {
    text = applyMethod(context, text, { name: tokens[at + 1]?.text ?? '', open: at + 2 })
    at = (closes.get(at + 2) ?? to) + 1
  }
  return text
}

/** `[…].join("\n")`. */
const joinedList = (context: Context, { from, to }: Range): readonly Piece[] | undefined => {
  const { tokens, closes } = context.program
  const close = closes.get(from) ?? to
  if (close + 3 >= to || tokens[close + 2]?.text !== 'join') return undefined
  const [separator] = argumentsOf(context.program, close + 3)
  const text = separator === undefined ? [] : textOrHole(context, separator)
  return withText(between(itemsOf(context, { from, to: close + 1 }), text))
}

const joinedBy = (
  context: Context,
  list: readonly Range[],
  separator: Argument | undefined,
): readonly Piece[] | undefined => {
  const text = separator === undefined ? [] : textOrHole(context, separator)
  return withText(
    between(
      list.slice(0, 200).map((item) => textOrHole(context, item)),
      text,
    ),
  )
}

const withText = (pieces: readonly Piece[]): readonly Piece[] | undefined =>
  pieces.some(({ kind }) => kind === 'text') ? pieces : undefined

const unwrapped = ({ tokens, closes }: Program, { from, to }: Range): Range =>
  tokens[from]?.text === '(' && closes.get(from) === to - 1 ? { from: from + 1, to: to - 1 } : { from, to }

const hasChoice = ({ tokens, closes }: Program, { from, to }: Range): boolean => {
  for (let at = from; at < to; at++) {
    const token = tokens[at]
    if (token?.kind === 'operator' && '([{'.includes(token.text)) at = closes.get(at) ?? to
    else if (token?.kind === 'name' && (token.text === 'if' || token.text === 'or')) return true
    else if (token?.kind === 'operator' && '?|'.includes(token.text) && tokens[at + 1]?.text !== '.')
      return true
  }
  return false
}

/** The terms between `+` of this level, and where a `%` stands. */
const operatorsIn = (
  { tokens, closes }: Program,
  { from, to }: Range,
): { readonly terms: readonly Range[]; readonly sign: number | undefined } => {
  const terms: Range[] = []
  let start = from
  let sign: number | undefined
  for (let at = from; at < to; at++) {
    const token = tokens[at]
    if (token?.kind !== 'operator') continue
    if ('([{'.includes(token.text)) at = closes.get(at) ?? to
    else if (token.text === '+') {
      if (at > start) terms.push({ from: start, to: at })
      start = at + 1
    } else if (token.text === '%' && terms.length === 0) sign ??= at
  }
  if (start < to) terms.push({ from: start, to })
  return { terms, sign }
}
