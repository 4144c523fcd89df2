import { byPlace, isSamePlace, type Finding, type Scanned } from '../core/finding.ts'
import type { Text } from '../core/text.ts'

/**
 * The text parts of one message are read one after the other, so a finding may begin in one of them and end in another.
 * Returns the texts with those findings too: each part has what of it lies there.
 */
export const acrossParts = async (
  scanned: readonly Scanned[],
  scan: (text: string) => Promise<readonly Finding[]>,
): Promise<readonly Scanned[]> => {
  const more = new Map<Text, Finding[]>()
  const own = new Map(scanned.map(({ text, findings }) => [text, findings]))
  for (const parts of messagesOf(scanned)) {
    if (parts.length > 1)
      addCrossing(parts, await scan(parts.map(({ value }) => value).join('')), { own, more })
  }
  if (more.size === 0) return scanned
  return scanned.map(({ text, findings }) => {
    const crossing = more.get(text)
    return { text, findings: crossing ? [...findings, ...crossing].sort(byPlace) : findings }
  })
}

/** Keys under which a message has its parts, and a part its text. */
const LISTS: ReadonlySet<unknown> = new Set(['content', 'system'])
const TEXTS: ReadonlySet<unknown> = new Set(['text', 'thinking'])

const messagesOf = (scanned: readonly Scanned[]): Iterable<readonly Text[]> => {
  const messages = new Map<string, Text[]>()
  for (const { text } of scanned) {
    const { path } = text
    if (!TEXTS.has(path.at(-1)) || typeof path.at(-2) !== 'number' || !LISTS.has(path.at(-3))) continue
    const key = [...path.slice(0, -2), path.at(-1)].map(String).join('/')
    const parts = messages.get(key)
    if (parts) parts.push(text)
    else messages.set(key, [text])
  }
  return messages.values()
}

interface Found {
  readonly own: ReadonlyMap<Text, readonly Finding[]>
  readonly more: Map<Text, Finding[]>
}

/** Also what lies inside one part and is something only because of what was before it. */
const addCrossing = (parts: readonly Text[], found: readonly Finding[], { own, more }: Found): void => {
  let next = 0
  let from = 0
  for (const part of parts) {
    const to = from + part.value.length
    // Ordered by start; one that ends here needs no second look, one that goes on does.
    while (next < found.length && (found[next]?.end ?? 0) <= from) next++
    for (let at = next; at < found.length; at++) {
      const finding = found[at]
      if (finding === undefined || finding.start >= to) break
      if (finding.end <= from) continue
      const clipped = {
        ...finding,
        start: Math.max(finding.start, from) - from,
        end: Math.min(finding.end, to) - from,
      }
      if (own.get(part)?.some((one) => isSamePlace(one, clipped))) continue
      more.set(part, [...(more.get(part) ?? []), clipped])
    }
    from = to
  }
}
