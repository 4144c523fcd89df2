/**
 * The URI names in Node's `subjectaltname`, such as `DNS:a, URI:spiffe://b/c`. Node quotes a value that holds a comma,
 * a quote or control characters as a JSON string; splitting on commas would let such a value forge an entry.
 */
export const uriNames = (subjectAltName: string): readonly string[] => {
  const names: string[] = []
  let at = 0
  while (at < subjectAltName.length) {
    const colon = subjectAltName.indexOf(':', at)
    if (colon < 0) break
    const kind = subjectAltName.slice(at, colon)
    const { value, end } = readValue(subjectAltName, colon + 1)
    if (kind === 'URI') names.push(value)
    at = end + 2 // the comma and the blank
  }
  return names
}

const readValue = (text: string, start: number): { value: string; end: number } => {
  if (text[start] !== '"') {
    const comma = text.indexOf(', ', start)
    const end = comma < 0 ? text.length : comma
    return { value: text.slice(start, end), end }
  }
  let end = start + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  return { value: unquoted(text.slice(start, end + 1)), end: end + 1 }
}

/** Never equal to an allowed name when it is not well formed. */
const unquoted = (quoted: string): string => {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}
