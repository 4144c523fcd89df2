import { hash } from 'node:crypto'
import type { Finding, Scanned } from '../core/finding.ts'
import type { Meter } from '../core/metrics.ts'
import type { Notes } from '../core/notes.ts'
import { Refusal } from '../core/refusal.ts'
import type { Scanner } from '../core/scanner.ts'
import { pointer, type Text } from '../core/text.ts'
import { acrossParts } from './seams.ts'

export type Direction = 'request' | 'response'

export type Inspect = (texts: readonly Text[], direction: Direction, notes: Notes) => readonly Scanned[]

/** Texts remembered by hash: conversations repeat their history with every turn. Only hashes and findings are kept. */
const REMEMBERED = 8192

/** Scans every text, and notes its hash. A scanner that fails refuses the exchange. */
export const inspectStep = (scanner: Scanner, meter: Meter): Inspect => {
  const seen = new Map<string, readonly Finding[]>()
  const scan = (value: string, digest: string): readonly Finding[] => {
    const known = seen.get(digest)
    if (known) return known
    const findings = scanSafely(scanner, value)
    if (seen.size >= REMEMBERED) seen.delete(seen.keys().next().value ?? '')
    seen.set(digest, findings)
    return findings
  }
  return (texts, direction, notes) => {
    const begin = performance.now()
    const single = texts.map((text) => {
      const sha256 = hash('sha256', text.value)
      notes.texts.push({ direction, path: pointer(text.path), length: text.value.length, sha256 })
      return { text, findings: scan(text.value, sha256) }
    })
    const scanned = acrossParts(single, (joined) => scan(joined, hash('sha256', joined)))
    const ms = performance.now() - begin
    notes.timings[`scan_${direction}`] = (notes.timings[`scan_${direction}`] ?? 0) + ms
    meter.observe('postern_scan_seconds', ms / 1000, direction)
    return scanned
  }
}

export const scanSafely = (scanner: Scanner, text: string): readonly Finding[] => {
  try {
    return scanner.scan(text)
  } catch (cause) {
    throw new Refusal('guard_failed', { cause, details: [`scanner ${scanner.name}`] })
  }
}
