/** A part of a string literal. Texts keep their length: an escape such as `\n` becomes a space and the character. */
export type Piece = TextPiece | HolePiece

export interface TextPiece extends Origin {
  readonly kind: 'text'
  readonly text: string
  readonly start: number
}

interface Origin {
  /** Of the file that it stands in, where that is another one than the file that is read. */
  readonly path?: string
}

/** Something that is put in when the program runs. `expression` is source text, at most 200 characters of it. */
export interface HolePiece extends Origin {
  readonly kind: 'hole'
  readonly expression: string
  readonly start: number
  readonly end: number
  /** Who writes what is put in, where the flow of the program shows it; else its name is asked. */
  readonly trust?: 'own' | 'direct' | 'indirect'
  /** It stands in the code beside a text, not in the text. */
  readonly isCode?: boolean
  /** Whether the flow says so; else it is the name. */
  readonly known?: boolean
  /** The function whose parameter it puts in, where nothing shows who calls it. */
  readonly inside?: string
  /** The variable of the template, where the expression is what fills it. */
  readonly asked?: string
}

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'comment' | 'newline'
  readonly text: string
  readonly start: number
  readonly end: number
  /** Of strings only. */
  readonly pieces?: readonly Piece[]
}
