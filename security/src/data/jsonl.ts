import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { MAX_RECORD } from './bounds.ts'
import { collector, rowOf, type Fields, type Row } from './rows.ts'

/** Reads JSON lines, one object each. Throws an Error with the line for what is no object with a text. */
export const readJsonLines = async (file: string, fields: Fields): Promise<readonly Row[]> => {
  const all = collector(file)
  let line = 0
  for await (const json of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1
    if (json.trim() === '') continue
    const at = `${file}:${line}`
    if (json.length > MAX_RECORD) throw new Error(`${at}: is longer than ${MAX_RECORD} characters`)
    all.add(rowOf(parse(json, at), { at, line, fields }))
  }
  return all.rows
}

const WANTED = 'a file has one JSON object a line, or its name ends in .csv, .parquet, .npy or .npz'

const parse = (json: string, at: string): object => {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch (cause) {
    throw new Error(`${at}: is not JSON; ${WANTED}`, { cause })
  }
  throw new Error(`${at}: is no object; ${WANTED}`)
}
