import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** One line of a data set. */
export interface Row {
  /** From 1. */
  readonly line: number
  readonly text: string
  /** Empty when the data set has no labels. */
  readonly label: string
  readonly embedding: readonly number[] | undefined
}

export interface Fields {
  readonly text: string
  readonly label: string
  readonly embedding: string
}

const MAX_ROWS = 200_000
const MAX_LINE = 1 << 20 // characters
const MAX_DIMENSIONS = 4096

/**
 * Reads JSON lines, one object each. Throws an Error with the line for what is no object with a text, for more than 200,000 lines and
 * for vectors of different lengths.
 */
export const readRows = async (file: string, fields: Fields): Promise<readonly Row[]> => {
  const rows: Row[] = []
  let line = 0
  for await (const json of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1
    if (json.trim() === '') continue
    if (rows.length >= MAX_ROWS)
      throw new Error(`${file}: has more than ${MAX_ROWS} lines; check it in parts`)
    if (json.length > MAX_LINE) throw new Error(`${file}:${line}: is longer than ${MAX_LINE} characters`)
    rows.push(rowOf(json, { at: `${file}:${line}`, line, fields }))
  }
  const sizes = new Set(rows.flatMap(({ embedding }) => (embedding === undefined ? [] : [embedding.length])))
  if (sizes.size > 1)
    throw new Error(`${file}: vectors have different lengths (${[...sizes].slice(0, 4).join(', ')})`)
  return rows
}

const rowOf = (
  json: string,
  { at, line, fields }: { readonly at: string; readonly line: number; readonly fields: Fields },
): Row => {
  const value = parse(json, at)
  const text = member(value, fields.text)
  if (typeof text !== 'string') throw new Error(`${at}: has no text ${fields.text}; name it with --text`)
  const label = member(value, fields.label) ?? ''
  const embedding = member(value, fields.embedding)
  if (embedding !== undefined && !isVector(embedding))
    throw new Error(`${at}: ${fields.embedding} is no list of numbers`)
  return { line, text, label: typeof label === 'string' ? label : JSON.stringify(label), embedding }
}

const parse = (json: string, at: string): object => {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (cause) {
    throw new Error(`${at}: is not JSON`, { cause })
  }
  throw new Error(`${at}: is no object`)
}

const member = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined

const isVector = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_DIMENSIONS &&
  value.every((each) => Number.isFinite(each))
