/** One entry of a subject alternative name. `kind` as Node spells it: `DNS`, `URI`, `email`, `IP Address`, `DirName`, `othername`... */
export interface AltName {
  readonly kind: string
  readonly value: string
}

/**
 * Reads Node's `subjectaltname` string: entries between `, `, a value that holds anything special as a JSON string.
 * Splitting at commas would let one entry pass for several (CVE-2021-44532). Undefined when it does not read back exactly.
 */
export const readAltNames = (text: string): readonly AltName[] | undefined => {
  const names: AltName[] = []
  let at = 0
  while (at < text.length) {
    const colon = text.indexOf(':', at)
    if (colon < 0) return undefined
    const end = text[colon + 1] === '"' ? endOfQuoted(text, colon + 1) : endOfPlain(text, colon + 1)
    const kind = text.slice(at, colon)
    const value = valueOf(text.slice(colon + 1, end))
    if (value === undefined || /[",]/.test(kind) || (end < text.length && !text.startsWith(', ', end)))
      return undefined
    names.push({ kind, value })
    at = end + 2
  }
  return names
}

const endOfPlain = (text: string, start: number): number => {
  const end = text.indexOf(', ', start)
  return end < 0 ? text.length : end
}

const endOfQuoted = (text: string, start: number): number => {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const valueOf = (raw: string): string | undefined => {
  if (!raw.startsWith('"')) return /[",]/.test(raw) ? undefined : raw
  try {
    return JSON.parse(raw) as string
  } catch {
    return undefined
  }
}
