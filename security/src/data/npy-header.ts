export interface NpyHeader {
  /** Bytes of one number. */
  readonly width: number
  readonly littleEndian: boolean
  /** Column after column, instead of row after row. */
  readonly fortranOrder: boolean
  readonly rows: number
  readonly columns: number
}

/** `'name': value`, where the value is a text, True, False or a tuple of whole numbers, which are `3L` in Python 2. */
const ENTRY =
  /\s*(['"])(?<name>descr|fortran_order|shape)\1\s*:\s*(?:(['"])(?<type>[^'"\\]*)\3|(?<truth>True|False)|\((?<tuple>[-\dL,\s]*)\))\s*(?:,\s*|$)/y
const RECORDS = /['"]descr['"]\s*:\s*\[/
const NAMES = 3

type Entry = Readonly<Record<string, string | undefined>>

/**
 * Reads the header of a .npy file, a literal of Python, as data: nothing is evaluated. Takes what NumPy writes for a matrix of
 * floating-point numbers, names in any order. Throws an Error for everything else. Source: numpy.lib.format.
 */
export const parseHeader = (text: string): NpyHeader => {
  const entries = entriesOf(text.trim())
  const shape = entries.get('shape')?.['tuple']
  const type = entries.get('descr')?.['type']
  const truth = entries.get('fortran_order')?.['truth']
  if (shape === undefined || type === undefined || truth === undefined) throw new Error(UNREADABLE)
  return { ...typeOf(type), fortranOrder: truth === 'True', ...shapeOf(shape) }
}

const AGAIN = "numpy.save('out.npy', matrix.astype('float32'))"
const UNREADABLE = `its header is not one that numpy.save writes for numbers, and is not run to find out; write it again: ${AGAIN}`

const entriesOf = (text: string): ReadonlyMap<string, Entry> => {
  const entries = new Map<string, Entry>()
  if (!text.startsWith('{') || !text.endsWith('}')) throw new Error(UNREADABLE)
  const body = text.slice(1, -1)
  for (let at = 0; at < body.length; at = ENTRY.lastIndex) {
    ENTRY.lastIndex = at
    const entry = ENTRY.exec(body)?.groups
    const name = entry?.['name']
    if (entry === undefined && RECORDS.test(body))
      throw new Error(`it holds records with named fields; save the vectors alone: ${AGAIN}`)
    if (entry === undefined || name === undefined || entries.has(name)) throw new Error(UNREADABLE)
    entries.set(name, entry)
  }
  if (entries.size !== NAMES) throw new Error(UNREADABLE)
  return entries
}

const typeOf = (type: string): Pick<NpyHeader, 'width' | 'littleEndian'> => {
  if (/^.?O/.test(type))
    throw new Error(
      `it holds Python objects, which NumPy keeps as a pickle: loading one can run any code, so it is not read; have whoever made it save numbers: ${AGAIN}`,
    )
  const [, order, width] = /^([<>])f([248])$/.exec(type) ?? []
  if (order === undefined)
    throw new Error(
      `it holds ${/^[<>|=]?\w{1,16}$/.test(type) ? type : 'another type'}, where f2, f4 and f8 are read; write it again: ${AGAIN}`,
    )
  return { width: Number(width), littleEndian: order === '<' }
}

const shapeOf = (tuple: string): Pick<NpyHeader, 'rows' | 'columns'> => {
  const sizes = tuple
    .trim()
    .replace(/,$/, '')
    .split(',')
    .map((size) => size.trim())
  const wellFormed = sizes.length > 1 || tuple.includes(',') || sizes[0] === ''
  if (!wellFormed || !sizes.every((size) => /^\d{1,20}L?$/.test(size) || tuple.trim() === ''))
    throw new Error(`its shape is no list of sizes from 0 up; write it again: ${AGAIN}`)
  if (sizes.length !== 2 || tuple.trim() === '')
    throw new Error(
      `it has ${tuple.trim() === '' ? 0 : sizes.length} dimensions, where a matrix has 2: one row for each vector`,
    )
  const [rows = 0, columns = 0] = sizes.map((size) => Number.parseInt(size, 10))
  return { rows, columns }
}
