/** A part of a string literal. Texts keep their length: an escape such as `\n` becomes a space and the character. */
export type Piece = TextPiece | HolePiece

export interface TextPiece {
  readonly kind: 'text'
  readonly text: string
  readonly start: number
}

/** Something that is put in when the program runs. `expression` is source text, at most 200 characters of it. */
export interface HolePiece {
  readonly kind: 'hole'
  readonly expression: string
  readonly start: number
  readonly end: number
}

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'operator' | 'comment' | 'newline'
  readonly text: string
  readonly start: number
  readonly end: number
  /** Of strings only. */
  readonly pieces?: readonly Piece[]
}
