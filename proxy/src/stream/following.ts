import type { Finding } from '../core/finding.ts'
import type { ScanSession } from '../core/scanner.ts'

/** Characters of what was said before that are read again: the longest finding. */
const MEMORY = 2048

/** What was said so far and may begin a finding that ends in the next text. */
export const lastOf = (said: string, piece: string): string => {
  const all = said + piece
  return all.length > 2 * MEMORY ? all.slice(-MEMORY) : all
}

/**
 * A session for a text that readers put behind another one: what begins there and ends here is found too, as far as it is
 * here. What was before has left already.
 */
export const followingSession = (open: () => ScanSession, before: string): ScanSession => {
  const own = open()
  if (before === '') return own
  const joined = open()
  const edge = before.length
  joined.push(before)
  let across = joined.cleared < edge
  const crossing = (found: readonly Finding[]): readonly Finding[] => {
    across = joined.cleared < edge
    return found
      .filter(({ start, end }) => start < edge && end > edge)
      .map((finding) => ({ ...finding, start: 0, end: finding.end - edge }))
  }
  return {
    push: (piece) => [...own.push(piece), ...(across ? crossing(joined.push(piece)) : [])],
    end: () => [...own.end(), ...(across ? crossing(joined.end()) : [])],
    get cleared() {
      return across ? 0 : own.cleared
    },
  }
}
