import { hash } from 'node:crypto'
import type { AuditText } from '../core/audit.ts'
import type { Capture } from '../core/capture.ts'
import type { Finding, Scanned } from '../core/finding.ts'
import type { Notes } from '../core/notes.ts'
import { Refusal } from '../core/refusal.ts'
import type { Scanner } from '../core/scanner.ts'
import { pointer, type Text } from '../core/text.ts'
import { pacedScan } from './paced-scan.ts'
import { acrossParts } from './seams.ts'

export type Direction = 'request' | 'response'

export type Inspect = (
  texts: readonly Text[],
  direction: Direction,
  notes: Notes,
) => Promise<readonly Scanned[]>

/** Texts remembered by hash: conversations repeat their history with every turn. Only hashes and findings are kept. */
const REMEMBERED = 8192

/** Scanning of one direction of one exchange, in milliseconds; ordinary text of the largest size needs a tenth of it. */
const BUDGET_MS = 5000

/** Scans every text, and notes its hash. A scanner that fails refuses the exchange, and so does a capture that must not fail. */
export const inspectStep = (scanner: Scanner, capture?: Capture): Inspect => {
  const seen = new Map<string, readonly Finding[]>()
  const remember = (digest: string, findings: readonly Finding[]): readonly Finding[] => {
    if (seen.size >= REMEMBERED) seen.delete(seen.keys().next().value ?? '')
    seen.set(digest, findings)
    return findings
  }
  return async (texts, direction, notes) => {
    const begin = performance.now()
    const tooLong = () => overBudget(direction)
    const paced = pacedScan(scanner, { signal: notes.received.signal, budgetMs: BUDGET_MS, tooLong })
    const scan = async (value: string, digest: string): Promise<readonly Finding[]> =>
      seen.get(digest) ?? remember(digest, await paced.scan(value))
    const single: Scanned[] = []
    const first = notes.texts.length
    for (const text of texts) {
      const sha256 = hash('sha256', text.value)
      notes.texts.push({ direction, path: pointer(text.path), length: text.value.length, sha256 })
      single.push({ text, findings: seen.get(sha256) ?? (await scan(text.value, sha256)) })
    }
    if (capture?.wants(notes.caller?.tenant) === true) await keep(capture, { texts, first }, notes)
    const scanned = await acrossParts(single, (joined) => scan(joined, hash('sha256', joined)))
    const ms = performance.now() - begin
    notes.timings[`scan_${direction}`] = (notes.timings[`scan_${direction}`] ?? 0) + ms
    notes.meter.observe('postern_scan_seconds', ms / 1000, direction)
    return scanned
  }
}

/** Before anything goes on: what must be kept and cannot be is not served. */
const keep = async (
  capture: Capture,
  { texts, first }: { readonly texts: readonly Text[]; readonly first: number },
  notes: Notes,
): Promise<void> => {
  const noted = notes.texts.slice(first)
  const { id } = notes.received
  const lines = await capture.keep(
    { id, tenant: notes.caller?.tenant ?? '' },
    noted.map(({ direction, path, sha256 }, i) => ({
      direction,
      path,
      sha256,
      value: texts[i]?.value ?? '',
    })),
  )
  noted.forEach((text, i) => (notes.texts[first + i] = withLine(text, lines[i])))
}

/** A text of the record, with the line that holds it encrypted, when there is one. */
export const withLine = (text: AuditText, capture: string | undefined): AuditText =>
  capture === undefined ? text : { ...text, capture }

const overBudget = (direction: Direction): Refusal =>
  new Refusal(direction === 'request' ? 'body_too_large' : 'model_answer_invalid', {
    details: [`inspecting it takes longer than ${BUDGET_MS / 1000} s`],
  })
