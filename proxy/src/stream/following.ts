import { isSamePlace, type Finding } from '../core/finding.ts'
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
  const isAcross = (): boolean => joined.cleared < edge || joined.open === true
  let across = isAcross()
  const crossing = (known: readonly Finding[], found: readonly Finding[]): readonly Finding[] => {
    across = isAcross()
    const more = found
      .filter(({ end }) => end > edge)
      .map((finding) => ({ ...finding, start: Math.max(0, finding.start - edge), end: finding.end - edge }))
    return [...known, ...more.filter((finding) => !known.some((one) => isSamePlace(one, finding)))]
  }
  return {
    push: (piece) => (across ? crossing(own.push(piece), joined.push(piece)) : own.push(piece)),
    end: () => (across ? crossing(own.end(), joined.end()) : own.end()),
    get cleared() {
      return across ? Math.max(0, Math.min(own.cleared, joined.cleared - edge)) : own.cleared
    },
    get open() {
      return own.open === true || across
    },
  }
}
