const SHORT: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\n' }

/**
 * The text that a literal stands for, for reading only: every escape becomes a space and its character, so offsets stay
 * those of the source.
 */
export const cook = (raw: string, escapes: boolean): string => {
  if (!escapes || !raw.includes('\\')) return raw
  let cooked = ''
  let from = 0
  for (let at = raw.indexOf('\\'); at >= 0 && at + 1 < raw.length; at = raw.indexOf('\\', from)) {
    const char = raw.charAt(at + 1)
    cooked += raw.slice(from, at) + (char === '\n' ? '  ' : ` ${SHORT[char] ?? char}`)
    from = at + 2
  }
  return cooked + raw.slice(from)
}
