import type { Finding } from './finding.ts'

/**
 * Safe fixes applied to a text, from its end to its start. A fix that overlaps one already applied waits for the next
 * run. Returns the text as it was when there is none.
 */
export const applyFixes = (
  text: string,
  findings: readonly Finding[],
): { readonly text: string; readonly applied: number } => {
  const fixes = findings
    .flatMap(({ fix }) => (fix?.safe === true ? [fix.edits] : []))
    .sort((one, two) => (two[0]?.start ?? 0) - (one[0]?.start ?? 0))
  let fixed = text
  let applied = 0
  let limit = text.length + 1
  for (const edits of fixes) {
    if (edits.some(({ end }) => end >= limit)) continue
    for (const { start, end, insert } of [...edits].sort((one, two) => two.start - one.start))
      fixed = fixed.slice(0, start) + insert + fixed.slice(end)
    limit = Math.min(...edits.map(({ start }) => start))
    applied++
  }
  return { text: fixed, applied }
}
