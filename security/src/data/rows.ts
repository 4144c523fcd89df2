import { MAX_DIMENSIONS, MAX_NUMBERS, MAX_ROWS } from './bounds.ts'

/** One record of a data set. */
export interface Row {
  /** Line of the file, or number of the record in a store; from 1. */
  readonly line: number
  readonly text: string
  /** Empty when the data set has no labels. */
  readonly label: string
  readonly embedding: ArrayLike<number> | undefined
}

/** Names of the members that hold them. */
export interface Fields {
  /** One or several, whose texts stand below each other. */
  readonly text: readonly string[]
  readonly label: string
  readonly embedding: string
}

/** Takes rows up to 200,000 of them and 50 million numbers in their vectors, which is what fits in memory. `add` throws an Error beyond, and for vectors of another length. */
export const collector = (source: string) => {
  const rows: Row[] = []
  let size: number | undefined
  return {
    rows: rows as readonly Row[],
    add: (row: Row): void => {
      rows.push(row)
      if (rows.length > MAX_ROWS)
        throw new Error(`${source}: has more than ${MAX_ROWS} records; check it in parts`)
      if (row.embedding === undefined) return
      if (row.embedding.length !== (size ??= row.embedding.length))
        throw new Error(`${source}: vectors have different lengths (${size}, ${row.embedding.length})`)
      if (rows.length * size > MAX_NUMBERS)
        throw new Error(`${source}: vectors have more than ${MAX_NUMBERS} numbers in all; check it in parts`)
    },
  }
}

/** Throws an Error that begins with `at` for what holds no text or a vector that is none. */
export const rowOf = (
  value: object,
  { at, line, fields }: { readonly at: string; readonly line: number; readonly fields: Fields },
): Row => {
  const texts = fields.text.map((name) => {
    const text = textOf(member(value, name))
    if (text === undefined)
      throw new Error(`${at}: has no text in the member ${name}; name another one with --text`)
    return text
  })
  const text = texts.join('\n')
  const label = member(value, fields.label) ?? ''
  const embedding = member(value, fields.embedding) ?? undefined // pandas writes null for none
  if (embedding !== undefined && !isVector(embedding))
    throw new Error(`${at}: ${fields.embedding} is no list of 1 to ${MAX_DIMENSIONS} numbers`)
  return { line, text, label: typeof label === 'string' ? label : JSON.stringify(label), embedding }
}

const MAX_DEPTH = 4 // a list of turns, whose contents are lists of parts

/**
 * A text, or a list of texts and turns of a conversation, as chat data sets have them: `role` and `content` (OpenAI), `from` and `value`
 * (ShareGPT), also as two lists, and contents in parts. Undefined for everything else.
 */
const textOf = (value: unknown, depth = 0): string | undefined => {
  if (value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || depth > MAX_DEPTH) return undefined
  if (Array.isArray(value)) {
    const parts = value.map((each) => textOf(each, depth + 1))
    return parts.includes(undefined) ? undefined : parts.join('\n')
  }
  const name = ['content', 'value', 'text'].find((each) => Object.hasOwn(value, each))
  if (name !== undefined) return textOf(member(value, name), depth + 1)
  // A turn that only calls tools, a part that is an image.
  return Object.hasOwn(value, 'role') || Object.hasOwn(value, 'type') ? '' : undefined
}

const member = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined

const isVector = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_DIMENSIONS &&
  value.every((each) => Number.isFinite(each))
