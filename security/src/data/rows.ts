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
  readonly text: string
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
  const text = member(value, fields.text)
  if (typeof text !== 'string')
    throw new Error(`${at}: has no text in the member ${fields.text}; name another one with --text`)
  const label = member(value, fields.label) ?? ''
  const embedding = member(value, fields.embedding) ?? undefined // pandas writes null for none
  if (embedding !== undefined && !isVector(embedding))
    throw new Error(`${at}: ${fields.embedding} is no list of 1 to ${MAX_DIMENSIONS} numbers`)
  return { line, text, label: typeof label === 'string' ? label : JSON.stringify(label), embedding }
}

const member = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined

const isVector = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_DIMENSIONS &&
  value.every((each) => Number.isFinite(each))
