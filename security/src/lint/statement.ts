import type { Program } from './program.ts'

/** Tokens of one statement; longer ones end there. */
const LONGEST = 4000

/** Where the expression that starts at `from` ends: at a comma or bracket of its own level, or where the next statement begins. */
export const expressionEnd = (program: Program, from: number): number => {
  const { tokens, closes, margins } = program
  let at = from
  while (at < tokens.length && at < from + LONGEST) {
    if (at > from && (margins[at] ?? -1) >= 0 && !continues(program, at)) return at
    const token = tokens[at]
    if (token?.kind === 'operator') {
      if ('([{'.includes(token.text)) {
        at = Math.min(closes.get(at) ?? tokens.length, tokens.length) + 1
        continue
      }
      if (')]};,'.includes(token.text)) return at
    }
    at++
  }
  return Math.min(at, tokens.length)
}

/** A line that goes on with the expression of the line before. */
const continues = ({ tokens, source }: Program, at: number): boolean => {
  const before = tokens[at - 1]
  const token = tokens[at]
  if (before === undefined || token === undefined) return false
  if (source.language !== 'typescript') return source.text.slice(before.end, token.start).includes('\\')
  if (token.kind === 'operator' && '.+?:&|*%'.includes(token.text)) return true
  return before.kind === 'operator' && '+-*=?:&|,.>'.includes(before.text)
}
