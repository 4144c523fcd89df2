import type { Finding } from '../core/finding.ts'
import type { OffsetMap } from './offset-map.ts'

/** A text that is read while it comes, in its own offsets. */
export interface Reader {
  push(piece: string): void
  end(): void
  /** The earliest offset where a finding of a held rule may still begin. */
  cleared(): number
  /** What was found since the last call. */
  take(): readonly Finding[]
}

/** Reads what is encoded in a text. */
export interface DecodingReader extends Reader {
  /** Whether nothing is being decoded. */
  isIdle(): boolean
}

/** A finding of a decoded text as one of its source. */
export const translated = (finding: Finding, map: OffsetMap, code: string): Finding => ({
  ...finding,
  start: map.start(finding.start),
  end: map.end(finding.end),
  evidence: finding.evidence.includes(code) ? finding.evidence : [...finding.evidence, code],
})
