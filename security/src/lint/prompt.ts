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
}

export const flatten = ({ pieces }: Prompt): Flat => {
  const parts: { readonly from: number; readonly start: number }[] = []
  let text = ''
  for (const piece of pieces) {
    parts.push({ from: text.length, start: piece.start })
    text += piece.kind === 'text' ? piece.text : '\uFFFC'
  }
  return {
    text,
    at: (offset) => {
      const part = parts.findLast(({ from }) => from <= offset)
      return part === undefined ? 0 : part.start + offset - part.from
    },
  }
}
