/** Letters of every script, digits, `_` and `$`: what names are made of in Python and TypeScript. */
export const isNameStart = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === 36 || code > 127

export const isDigit = (code: number): boolean => code >= 48 && code <= 57

export const isName = (code: number): boolean => isNameStart(code) || isDigit(code)

/** The end of the name that starts at `at`. */
export const nameEnd = (text: string, at: number): number => {
  let end = at
  while (end < text.length && isName(text.charCodeAt(end))) end++
  return end
}
