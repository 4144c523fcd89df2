import { createReadStream } from 'node:fs'
import { MAX_RECORD } from './bounds.ts'
import { collector, rowOf, type Fields, type Row } from './rows.ts'

const MAX_COLUMNS = 500

/**
 * Reads what PostgreSQL writes with `COPY … TO … WITH (FORMAT csv, HEADER)`: RFC 4180, names of columns first. A column of pgvector is
 * `[0.1,0.2]`. Throws an Error with the number of the record, the header not counted.
 */
export const readCsv = async (file: string, fields: Fields): Promise<readonly Row[]> => {
  const all = collector(file)
  let names: readonly string[] | undefined
  let line = 0
  for await (const cells of records(file)) {
    if (names === undefined) {
      names = cells
      continue
    }
    line += 1
    const at = `${file}: record ${line}`
    if (cells.length !== names.length)
      throw new Error(`${at}: has ${cells.length} columns where the header has ${names.length}`)
    const values = Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']))
    const embedding = vectorOf(values[fields.embedding] ?? '', at)
    all.add(rowOf({ ...values, [fields.embedding]: embedding }, { at, line, fields }))
  }
  return all.rows
}

/** PostgreSQL writes nothing at all for a vector that is NULL. */
const vectorOf = (text: string, at: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${at}: a vector is no list of numbers in brackets`, { cause })
  }
}

async function* records(file: string): AsyncGenerator<readonly string[]> {
  let cells: string[] = []
  let cell = ''
  let quoted = false
  let closed = false // a quote ended the cell, or is half of a doubled one
  let size = 0
  for await (const chunk of createReadStream(file, { encoding: 'utf8' }) as AsyncIterable<string>)
    for (const character of chunk) {
      size += 1
      if (size > MAX_RECORD || cells.length > MAX_COLUMNS)
        throw new Error(`${file}: a record is longer than ${MAX_RECORD} characters or ${MAX_COLUMNS} columns`)
      if (quoted && character !== '"') cell += character
      else if (character === '"') {
        if (closed) cell += '"'
        quoted = !quoted
        closed = !quoted
        continue
      } else if (character === ',') {
        cells.push(cell)
        cell = ''
      } else if (character === '\n') {
        yield [...cells, cell]
        cells = []
        cell = ''
        size = 0
      } else if (character !== '\r') cell += character
      closed = false
    }
  if (quoted) throw new Error(`${file}: ends inside quotes`)
  if (cell !== '' || cells.length > 0) yield [...cells, cell]
}
