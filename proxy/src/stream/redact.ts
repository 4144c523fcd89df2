import { byPlace, type Finding } from '../core/finding.ts'
import type { Action } from '../core/policy.ts'

export type ActionOf = (finding: Finding) => Action

/** What a client sees in place of a finding: `[REDACTED_AWS_ACCESS_KEY]`. */
export const placeholder = (rule: string): string => `[REDACTED_${rule.toUpperCase().replaceAll('-', '_')}]`

export interface Cleaned {
  readonly text: string
  /** Set when a finding must be blocked; `text` then ends where that finding begins. */
  readonly blocked: Finding | undefined
  /** Offset in the original text up to which `text` speaks; beyond the bound when a redaction reaches over it. */
  readonly position: number
  /** End of the last redaction so far, or -1: a finding that touches it joins it. */
  readonly redactedTo: number
  readonly redacted: boolean
}

export interface CleanRange {
  /** The original text from offset `base` on. */
  readonly text: string
  readonly base: number
  /** Where the last call ended: its `position`. */
  readonly from: number
  /** Offset before which every finding is known. */
  readonly to: number
  /** As the last call returned it; -1 at first. */
  readonly redactedTo: number
}

/** Replaces what is to be redacted in `[from, to)`; findings that overlap or touch become one placeholder, named by the first. */
export const clean = (range: CleanRange, findings: readonly Finding[], actionOf: ActionOf): Cleaned => {
  let out = ''
  let position = range.from
  let redactedTo = range.redactedTo
  let redacted = false
  const copyTo = (end: number): void => {
    if (end > position) out += range.text.slice(position - range.base, end - range.base)
    position = Math.max(position, end)
  }
  for (const finding of findings) {
    if (finding.start >= range.to) break
    const action = actionOf(finding)
    if (action === 'block') {
      copyTo(finding.start)
      return { text: out, blocked: finding, position, redactedTo, redacted }
    }
    if (action !== 'redact') continue
    copyTo(finding.start)
    if (finding.start > redactedTo) out += placeholder(finding.rule)
    redactedTo = Math.max(redactedTo, finding.end)
    position = Math.max(position, finding.end)
    redacted = true
  }
  copyTo(range.to)
  return { text: out, blocked: undefined, position, redactedTo, redacted }
}

/** The same for a whole text. */
export const cleanWhole = (text: string, findings: readonly Finding[], actionOf: ActionOf): Cleaned =>
  findings.length === 0
    ? { text, blocked: undefined, position: text.length, redactedTo: -1, redacted: false }
    : clean({ text, base: 0, from: 0, to: text.length, redactedTo: -1 }, findings.toSorted(byPlace), actionOf)
