import type { Span } from './finding.ts'
import type { Piece } from './tokens.ts'

/** A literal of code, YAML or JSON. Entries and items are made when they are asked for. */
export type Value = ObjectValue | ListValue | StringValue | OtherValue

interface ObjectValue extends Span {
  readonly kind: 'object'
  readonly entries: () => readonly Entry[]
}

export interface Entry extends Span {
  readonly key: string
  readonly value: Value
}

interface ListValue extends Span {
  readonly kind: 'list'
  readonly items: () => readonly Value[]
}

interface StringValue extends Span {
  readonly kind: 'string'
  readonly pieces: readonly Piece[]
}

/** Numbers, words, names, expressions. */
interface OtherValue extends Span {
  readonly kind: 'other'
  readonly text: string
}

export const entryOf = (value: Value | undefined, ...keys: readonly string[]): Entry | undefined =>
  value?.kind === 'object' ? value.entries().find(({ key }) => keys.includes(key)) : undefined

/** The text of a string or word; holes show as nothing. */
export const textOf = (value: Value | undefined): string => {
  if (value?.kind === 'string')
    return value.pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join('')
  return value?.kind === 'other' ? value.text : ''
}
