import { deflateRawSync } from 'node:zlib'
import type { Finding } from '../core/finding.ts'
import type { Scanner, ScanSession } from '../core/scanner.ts'

/** Every so many characters the last ones are looked at. */
const STEP = 1024

/**
 * A text says nothing new when its last characters deflate to next to nothing: the first window is for a word over and
 * over, the second for a paragraph. Measured on ordinary text, code, tables and lists: none comes near.
 */
const WINDOWS = [
  { characters: 4096, bytes: 160 },
  { characters: 16_384, bytes: 640 },
] as const

const LONGEST = 16_384
/** The last words, in characters. */
const ECHO = 24

/** A model that only repeats itself spends the budget of the caller and says nothing. One finding, where that became clear. */
export const repetition: Scanner = {
  name: 'repetition',
  rules: new Map([['repeated-text', 'repetition']]),
  scan(text) {
    const session = open()
    return [...session.push(text), ...session.end()]
  },
  open: () => open(),
}

const open = (): ScanSession => {
  let kept = ''
  let length = 0
  let told = false
  const session = {
    cleared: 0,
    push(piece: string): readonly Finding[] {
      const found: Finding[] = []
      for (let from = 0; from < piece.length;) {
        // Only a character beyond it makes a place one where a text can be cut.
        if (length > 0 && length % STEP === 0 && !told && isRepeated(kept)) {
          told = true
          found.push({
            rule: 'repeated-text',
            category: 'repetition',
            score: 1,
            start: length,
            end: length + 1,
            evidence: [],
          })
        }
        const to = Math.min(piece.length, from + STEP - (length % STEP))
        kept += piece.slice(from, to)
        if (kept.length > 2 * LONGEST) kept = kept.slice(-LONGEST)
        length += to - from
        from = to
      }
      const last = kept.charCodeAt(kept.length - 1)
      const split = last >= 0xd800 && last <= 0xdbff ? length - 1 : length
      session.cleared = Math.max(session.cleared, split)
      return found
    },
    end(): readonly Finding[] {
      session.cleared = length
      return []
    },
  }
  return session
}

const isRepeated = (text: string): boolean =>
  // What repeats itself has said its last words before; looking that up costs nothing beside deflating.
  text.lastIndexOf(text.slice(-ECHO), text.length - ECHO - 1) >= text.length - LONGEST &&
  WINDOWS.some(
    ({ characters, bytes }) =>
      text.length >= characters && deflateRawSync(text.slice(-characters), { level: 1 }).length <= bytes,
  )
