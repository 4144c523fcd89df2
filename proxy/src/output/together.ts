import { byPlace, type Finding } from '../core/finding.ts'
import type { Scanner } from '../core/scanner.ts'

/** Several scanners as one: all their findings; a text is cleared when it is for each of them. Rule names are theirs alone. */
export const together = (name: string, scanners: readonly Scanner[]): Scanner => ({
  name,
  rules: new Map(scanners.flatMap(({ rules }) => [...rules])),
  scan: (text) => scanners.flatMap((scanner) => scanner.scan(text)).sort(byPlace),
  open(holds) {
    const sessions = scanners.map((scanner) => scanner.open(holds))
    return {
      push: (piece) => merged(sessions.map((session) => session.push(piece))),
      end: () => merged(sessions.map((session) => session.end())),
      get cleared() {
        let least = Infinity
        for (const { cleared } of sessions) least = Math.min(least, cleared)
        return least
      },
      get open() {
        return sessions.some((session) => session.open === true)
      },
    }
  },
})

const NONE: readonly Finding[] = []

const merged = (found: readonly (readonly Finding[])[]): readonly Finding[] =>
  found.every((one) => one.length === 0) ? NONE : found.flat().sort(byPlace)
