import type { Json } from '../core/json.ts'
import type { Reading } from './reading.ts'
import type { Rows } from './rows.ts'

type Read = (value: Json, reading: Reading) => Json | undefined

/** What a value may be: throws by `refuse`, notes the texts, and returns what is kept; undefined leaves it out. */
export interface Shape extends Read {
  /** The same in words, for the coverage table. */
  readonly rows: Rows
}

export type Fields = Readonly<Record<string, Shape>>

/** A way of reading, and the rows that say what it does. */
export const custom = (rows: Rows, read: Read): Shape =>
  Object.assign<Read, Pick<Shape, 'rows'>>((value, reading) => read(value, reading), { rows })

/** Reads what is one step further down. */
export const at = (
  reading: Reading,
  step: string | number | symbol,
  read: () => Json | undefined,
): Json | undefined => {
  reading.path.push(step as string)
  const kept = read()
  reading.path.pop()
  return kept
}
