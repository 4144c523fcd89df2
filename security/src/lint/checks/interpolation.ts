import type { Finding, Fix } from '../finding.ts'
import { variableOf } from '../holes.ts'
import { flatten, type Prompt } from '../prompt.ts'
import type { HolePiece } from '../tokens.ts'
import { trustOf } from '../trust.ts'

/** Text from outside inside system prompts, and inside any prompt without marks around it. Once per variable. */
export const checkInterpolation = (prompt: Prompt): readonly Finding[] => {
  const { text } = flatten(prompt)
  const seen = new Set<string>()
  let from = 0
  return prompt.pieces.flatMap((piece) => {
    const at = from
    from += piece.kind === 'text' ? piece.text.length : 1
    if (piece.kind === 'text' || seen.has(piece.expression)) return []
    seen.add(piece.expression)
    const finding = judge(prompt, piece, {
      before: text.slice(Math.max(0, at - 200), at),
      after: text.slice(at + 1, at + 200),
    })
    return finding === undefined ? [] : [finding]
  })
}

interface Around {
  readonly before: string
  readonly after: string
}

const judge = ({ role, pieces }: Prompt, hole: HolePiece, around: Around): Finding | undefined => {
  const trust = hole.trust ?? trustOf(hole.expression)
  if (trust === 'own') return undefined
  const span = {
    start: hole.start,
    end: hole.end,
    ...(hole.path === undefined ? {} : { path: hole.path }),
    ...(hole.known === true ? {} : { isGuess: true }),
  }
  const named = shown(hole.expression)
  if (role === 'system')
    return {
      rule: 'untrusted-in-system-prompt',
      ...(trust === 'direct' ? { level: 'error' as const } : {}),
      message: `${named} is put into a system prompt; ${hole.known === true ? 'the program takes it' : 'by its name it comes'} from ${trust === 'direct' ? 'a user' : 'a document or another tool'}.`,
      ...span,
    }
  const words = pieces.reduce(
    (sum, piece) => sum + (piece.kind === 'text' ? piece.text.replace(/\{%[^%]*%\}/g, '').trim().length : 0),
    0,
  )
  if (words < 30 || role === 'assistant' || isDelimited(around)) return undefined
  const isLabelled =
    /(^|\n)[^\n]{0,60}(?:[:>]|[-=#*_]{3,})[ \t]*\n?[ \t]*$/.test(around.before) &&
    /^[ \t]*(\n|$)/.test(around.after)
  return {
    rule: 'no-delimiters',
    ...(isLabelled ? { level: 'note' as const } : {}),
    message: `${named} is put between instructions with ${isLabelled ? 'only a label before it' : 'nothing that marks where it begins and ends'}.`,
    ...span,
    ...fixFor(hole),
  }
}

const shown = (expression: string): string =>
  expression.length > 60 ? `${expression.slice(0, 57).replaceAll('\n', ' ')}...` : expression

const OPENERS =
  /(<[\w:.-]{1,60}( [^<>\n]{0,80})?>|"""|'''|```[\w-]{0,20}|~~~|["'“«`*]|[-=#*_]{3,}|<<+|\[\[?|\(|\||\{)[ \t]*\n?[ \t]*$/
const CLOSERS = /^[ \t]*\n?[ \t]*(<\/[\w:.-]{1,60}>|"""|'''|```|~~~|["'”»`*]|[-=#*_]{3,}|>>+|\]|\)|\||\})/

/** Tags, fences, quotes and rules on both sides. The texts looked at are at most 200 characters. */
const isDelimited = ({ before, after }: Around): boolean => {
  if (OPENERS.test(before) && CLOSERS.test(after)) return true
  const openTag = /<([\w:.-]{1,60})[^<>]{0,80}>[^<>]{0,150}$/.exec(before)?.[1]
  return openTag !== undefined && after.includes(`</${openTag}>`)
}

/** Only where the hole is a plain variable inside a text: its name becomes the tag. Tags beside a name would be no program. */
const fixFor = (hole: HolePiece): { fix?: Fix } => {
  const name = variableOf(hole.expression)
  if (name === '' || name !== hole.expression || hole.isCode === true) return {}
  const title = `Put <${name}> and </${name}> around it`
  return {
    fix: {
      title,
      safe: true,
      edits: [
        { start: hole.start, end: hole.start, insert: `<${name}>` },
        { start: hole.end, end: hole.end, insert: `</${name}>` },
      ],
    },
  }
}
