/**
 * The rows of a comma-separated text by RFC 4180: quoted fields may hold commas, line ends and doubled quotes. Empty lines are no rows.
 * Throws Error that names the line in which a quoted field begins that never ends.
 */
export const csvRows = (text: string): readonly (readonly string[])[] => {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < text.length) {
    const field = text[at] === '"' ? quoted(text, at) : plain(text, at)
    row.push(field.value)
    at = field.end
    if (text[at] === ',') {
      at += 1
      if (at < text.length) continue
      row.push('')
    }
    while (text[at] === '\r' || text[at] === '\n') at += 1
    if (row.some((value) => value !== '')) rows.push(row)
    row = []
  }
  return rows
}

interface Field {
  readonly value: string
  /** Of the comma or the line end behind it. */
  readonly end: number
}

const plain = (text: string, from: number): Field => {
  let end = from
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end += 1
  return { value: text.slice(from, end), end }
}

const quoted = (text: string, from: number): Field => {
  const parts: string[] = []
  for (let at = from + 1; ;) {
    const quote = text.indexOf('"', at)
    if (quote === -1)
      throw new Error(`line ${text.slice(0, from).split('\n').length}: a quoted field does not end`)
    parts.push(text.slice(at, quote))
    at = quote + 2
    if (text[quote + 1] !== '"') {
      const rest = plain(text, quote + 1)
      return { value: parts.join('"') + rest.value, end: rest.end }
    }
  }
}
