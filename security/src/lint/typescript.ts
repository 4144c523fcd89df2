import { isDigit, isNameStart, nameEnd } from './characters.ts'
import { cook } from './cook.ts'
import type { Piece, Token } from './tokens.ts'

/** Templates inside the holes of templates: deeper than any real program. */
const DEEPEST = 8

/**
 * The tokens of TypeScript, JavaScript and JSX source, in one pass. Broken source gives tokens too. A `/` is a regular
 * expression where a value may start, judged by the token before it; in the text of JSX a quote reaches to its line's end.
 */
export const tokenizeTypescript = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  let before: Token | undefined
  while (at < text.length) {
    const token = next(text, at, before)
    if (token === undefined) at++
    else {
      tokens.push(token)
      at = token.end
      if (token.kind !== 'comment' && token.kind !== 'newline') before = token
    }
  }
  return tokens
}

const next = (text: string, at: number, before: Token | undefined): Token | undefined => {
  const code = text.charCodeAt(at)
  if (code === 10) return token('newline', text, [at, at + 1])
  if (code <= 32) return undefined
  if (code === 47) return slash(text, at, before)
  if (code === 34 || code === 39) return quoted(text, at)
  if (code === 96) return template(text, at, 0)
  if (isNameStart(code)) return token('name', text, [at, nameEnd(text, at)])
  if (isDigit(code)) return token('number', text, [at, nameEnd(text, at)])
  return token('operator', text, [at, at + 1])
}

const token = (kind: Token['kind'], text: string, [start, end]: readonly [number, number]): Token => ({
  kind,
  text: text.slice(start, end),
  start,
  end,
})

const slash = (text: string, at: number, before: Token | undefined): Token => {
  const follower = text.charAt(at + 1)
  if (follower === '/') return token('comment', text, [at, untilLineEnd(text, at)])
  if (follower === '*') {
    const end = text.indexOf('*/', at + 2)
    return token('comment', text, [at, end < 0 ? text.length : end + 2])
  }
  if (!startsValue(before)) return token('operator', text, [at, at + 1])
  return token('operator', text, [at, expressionEnd(text, at)])
}

const untilLineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

const startsValue = (before: Token | undefined): boolean => {
  if (before === undefined) return true
  if (before.kind === 'name')
    return ['return', 'typeof', 'case', 'in', 'of', 'await', 'yield'].includes(before.text)
  return before.kind === 'operator' && !')]}<'.includes(before.text)
}

/** Of a regular expression; bounds the work where no line ends. */
const LONGEST = 500

/** The end of `/…/flags`, or just after the slash when the line ends first. */
const expressionEnd = (text: string, start: number): number => {
  let inClass = false
  for (let at = start + 1; at < Math.min(text.length, start + LONGEST); at++) {
    const char = text.charAt(at)
    if (char === '\n') return start + 1
    if (char === '\\') at++
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '/' && !inClass) return nameEnd(text, at + 1)
  }
  return start + 1
}

const quoted = (text: string, start: number): Token => {
  const quote = text.charAt(start)
  let at = start + 1
  while (at < text.length && text.charAt(at) !== quote && text.charAt(at) !== '\n')
    at += text.charAt(at) === '\\' ? 2 : 1
  const bodyEnd = Math.min(at, text.length)
  const end = Math.min(text.charAt(at) === quote ? at + 1 : at, text.length)
  const body: Piece = { kind: 'text', text: cook(text.slice(start + 1, bodyEnd), true), start: start + 1 }
  return { kind: 'string', text: text.slice(start, end), start, end, pieces: [body] }
}

const template = (text: string, start: number, depth: number): Token => {
  const pieces: Piece[] = []
  let from = start + 1
  let at = from
  const flush = (to: number): void => {
    if (to > from) pieces.push({ kind: 'text', text: cook(text.slice(from, to), true), start: from })
  }
  while (at < text.length && text.charAt(at) !== '`') {
    if (text.charAt(at) === '\\') at += 2
    else if (text.startsWith('${', at)) {
      flush(at)
      const end = holeEnd(text, at + 2, depth)
      pieces.push({
        kind: 'hole',
        expression: text.slice(at + 2, Math.min(end - 1, at + 202)).trim(),
        start: at,
        end,
      })
      at = end
      from = end
    } else at++
  }
  flush(Math.min(at, text.length))
  const end = Math.min(at + 1, text.length)
  return { kind: 'string', text: text.slice(start, end), start, end, pieces }
}

/** Just after the `}` that closes a hole. */
const holeEnd = (text: string, from: number, depth: number): number => {
  let nesting = 0
  let at = from
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '}' && nesting === 0) return at + 1
    if (char === '{') nesting++
    else if (char === '}') nesting--
    else if (char === '`' && depth >= DEEPEST) return at
    else if (char === '`') {
      at = template(text, at, depth + 1).end
      continue
    } else if (char === '"' || char === "'") {
      at = quoted(text, at).end
      continue
    }
    at++
  }
  return text.length
}
