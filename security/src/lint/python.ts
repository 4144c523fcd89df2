import { isDigit, isNameStart, nameEnd } from './characters.ts'
import { cook } from './cook.ts'
import type { Piece, Token } from './tokens.ts'

/** Strings inside the holes of f-strings inside strings: deeper than any real program. */
const DEEPEST = 8

/**
 * The tokens of Python source, in one pass. Broken source gives tokens too: an unterminated string ends with its line
 * or, in triple quotes, with the file.
 */
export const tokenizePython = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const token = next(text, at)
    if (token === undefined) at++
    else {
      tokens.push(token)
      at = token.end
    }
  }
  return tokens
}

const next = (text: string, at: number): Token | undefined => {
  const code = text.charCodeAt(at)
  if (code === 10) return token('newline', text, [at, at + 1])
  if (code <= 32 || code === 92) return undefined
  if (code === 35) return token('comment', text, [at, lineEnd(text, at)])
  if (code === 34 || code === 39) return readString(text, { prefix: '', at, start: at, depth: 0 })
  if (isNameStart(code)) {
    const end = nameEnd(text, at)
    const quote = text.charCodeAt(end)
    if (end - at <= 2 && (quote === 34 || quote === 39) && isPrefix(text.slice(at, end)))
      return readString(text, { prefix: text.slice(at, end).toLowerCase(), at: end, start: at, depth: 0 })
    return token('name', text, [at, end])
  }
  if (isDigit(code)) return token('number', text, [at, nameEnd(text, at)])
  return token('operator', text, [at, at + 1])
}

const token = (kind: Token['kind'], text: string, [start, end]: readonly [number, number]): Token => ({
  kind,
  text: text.slice(start, end),
  start,
  end,
})

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

const isPrefix = (name: string): boolean =>
  'r b u f t rb br fr rf tr rt'.split(' ').includes(name.toLowerCase())

interface Opening {
  readonly prefix: string
  /** Of the quote. */
  readonly at: number
  readonly start: number
  readonly depth: number
}

const readString = (text: string, opening: Opening): Token => {
  const quote = text.charAt(opening.at)
  const triple = text.startsWith(quote.repeat(3), opening.at)
  const body = { ...opening, quote: triple ? quote.repeat(3) : quote, from: opening.at + (triple ? 3 : 1) }
  const { pieces, end } = readBody(text, body)
  return { kind: 'string', text: text.slice(opening.start, end), start: opening.start, end, pieces }
}

interface Body extends Opening {
  readonly quote: string
  readonly from: number
}

const readBody = (text: string, body: Body): { pieces: readonly Piece[]; end: number } => {
  const { quote, prefix } = body
  const formatted = prefix.includes('f') || prefix.includes('t')
  const pieces: Piece[] = []
  let textFrom = body.from
  let at = body.from
  const flush = (to: number): void => {
    if (to > textFrom)
      pieces.push({
        kind: 'text',
        text: cook(text.slice(textFrom, to), !prefix.includes('r')),
        start: textFrom,
      })
  }
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '\\') at += 2
    else if (text.startsWith(quote, at)) {
      flush(at)
      return { pieces, end: at + quote.length }
    } else if (char === '\n' && quote.length === 1) break
    else if (formatted && char === '{') {
      if (text.charAt(at + 1) === '{') at += 2
      else {
        flush(at)
        const hole = readHole(text, at, body)
        pieces.push(hole)
        at = hole.end
        textFrom = at
      }
    } else at++
  }
  flush(Math.min(at, text.length))
  return { pieces, end: Math.min(at, text.length) }
}

/** From `{` to its `}`; the format after `:` or `!` is not part of the expression. */
const readHole = (text: string, start: number, body: Body): Piece & { kind: 'hole' } => {
  let nesting = 0
  let expressionEnd = -1
  let at = start + 1
  while (at < text.length) {
    const char = text.charAt(at)
    if (body.quote.length === 1 && char === '\n') break
    if (text.startsWith(body.quote, at) && (body.quote.length === 3 || body.depth > 0)) break
    if (char === '"' || char === "'") {
      if (body.depth >= DEEPEST) break
      at = readString(text, { prefix: '', at, start: at, depth: body.depth + 1 }).end
      continue
    }
    if (char === '}' && nesting === 0) {
      const end = expressionEnd < 0 ? at : expressionEnd
      return {
        kind: 'hole',
        expression: text.slice(start + 1, Math.min(end, start + 200)).trim(),
        start,
        end: at + 1,
      }
    }
    if ('([{'.includes(char)) nesting++
    else if (')]}'.includes(char)) nesting--
    else if (
      nesting === 0 &&
      expressionEnd < 0 &&
      (char === ':' || (char === '!' && text.charAt(at + 1) !== '='))
    )
      expressionEnd = at
    at++
  }
  return { kind: 'hole', expression: text.slice(start + 1, Math.min(at, start + 200)).trim(), start, end: at }
}
