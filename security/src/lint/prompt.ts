import type { Piece } from './tokens.ts'

/** `template` is text whose braces are holes, of which nothing says in which message it ends. */
export type PromptRole = 'system' | 'user' | 'assistant' | 'tool' | 'template'

/** One text that a model will read, with the places where other text is put in. */
export interface Prompt {
  readonly role: PromptRole
  readonly pieces: readonly Piece[]
  /** Variables that a declaration names; absent where nothing declares them. */
  readonly declared?: readonly string[]
}

export interface Flat {
  /** The texts joined, each hole shown as `\uFFFC`. */
  readonly text: string
  /** The offset in the file of an offset in `text`. */
  readonly at: (offset: number) => number
  /** The same for a part of `text`, with the file where that is another one. */
  readonly span: (
    start: number,
    end: number,
  ) => { readonly start: number; readonly end: number; readonly path?: string }
}

export const flatten = ({ pieces }: Prompt): Flat => {
  const parts: { readonly from: number; readonly piece: Piece }[] = []
  let text = ''
  for (const piece of pieces) {
    parts.push({ from: text.length, piece })
    text += piece.kind === 'text' ? piece.text : '\uFFFC'
  }
  const partAt = (offset: number): { readonly at: number; readonly path?: string } => {
    const part = parts.findLast(({ from }) => from <= offset)
    if (part === undefined) return { at: 0 }
    const at = part.piece.start + offset - part.from
    return part.piece.path === undefined ? { at } : { at, path: part.piece.path }
  }
  return {
    text,
    at: (offset) => partAt(offset).at,
    span: (start, end) => {
      const { at, path } = partAt(start)
      const last = partAt(end)
      const to = last.path === path ? Math.max(at, last.at) : at + end - start
      return path === undefined ? { start: at, end: to } : { start: at, end: to, path }
    },
  }
}
