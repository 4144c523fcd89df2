import { byPlace, type Finding } from '../core/finding.ts'
import type { ScanSession } from '../core/scanner.ts'
import { clean, type ActionOf } from './redact.ts'

/** One text of a stream: takes pieces as the model sends them, gives out what can no longer become a finding. */
export interface TextLane {
  /** Scans a piece. Returns the findings that became certain; nothing is released by it. */
  push(piece: string): readonly Finding[]
  /** The text is complete. */
  end(): readonly Finding[]
  /** The text that may leave now, findings acted upon. */
  release(actionOf: ActionOf): Release
  /** Characters that wait. */
  held(): number
}

export interface Release {
  readonly text: string
  readonly blocked: Finding | undefined
  /** Offset in the model's text up to which everything has left. */
  readonly position: number
  /** True once any text of the lane was replaced. */
  readonly altered: boolean
}

/** A block takes effect only when everything before it is settled, so that where a stream is cut never shows in what was released. */
export const textLane = (session: ScanSession): TextLane => {
  let text = ''
  let base = 0
  let position = 0
  let redactedTo = -1
  let altered = false
  let pending: Finding[] = []

  const keep = (found: readonly Finding[]): readonly Finding[] => {
    if (found.length > 0) pending = [...pending, ...found].sort(byPlace)
    return found
  }

  return {
    push(piece) {
      text += piece
      return keep(session.push(piece))
    },
    end: () => keep(session.end()),
    release(actionOf) {
      const to = wholeWords(text, base, session.cleared)
      if (to <= position && pending.length === 0) return { text: '', blocked: undefined, position, altered }
      const cleaned = clean({ text, base, from: position, to, redactedTo }, pending, actionOf)
      pending = pending.filter((finding) => finding.start >= to)
      position = cleaned.position
      redactedTo = cleaned.redactedTo
      altered ||= cleaned.redacted
      const done = Math.min(position, base + text.length)
      text = text.slice(done - base)
      base = done
      return { text: cleaned.text, blocked: cleaned.blocked, position, altered }
    },
    held: () => base + text.length - position,
  }
}

/** Longer runs of letters are torn: they are no words, and waiting for their end would hold too much. */
const MAX_WORD = 64

/** Where what must wait begins inside a word, the whole word waits: clients see words as the model wrote them. */
const wholeWords = (text: string, base: number, cleared: number): number => {
  const at = cleared - base
  if (at >= text.length || !isWord(text, at)) return cleared
  for (let start = at; start > at - MAX_WORD; start--) {
    if (start <= 0 || !isWord(text, start - 1)) return base + Math.max(0, start)
  }
  return cleared
}

const isWord = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at)
  return (
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code === 0x5f ||
    code > 0x7f
  )
}
