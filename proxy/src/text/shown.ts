import { SKIP } from './alphabet.ts'
import { classAt, widthAt } from './characters.ts'
import { plainOf } from './fold.ts'
import type { Run } from './run.ts'

/** The part of a text that a check gets to see: as the plain view shows it, or as it is in the raw view. */
export const shown = (run: Run, start: number, end: number): string => {
  const text = run.text.slice(start - run.base, end - run.base)
  if (run.program.alphabet.view === 'raw' || isAscii(text)) return text
  let seen = ''
  for (let at = start; at < end; at += widthAt(run, at)) {
    if (classAt(run, at) === SKIP) continue
    const point = text.codePointAt(at - start) as number
    const reading = plainOf(point)
    seen += reading < 128 ? String.fromCharCode(reading) : String.fromCodePoint(point)
  }
  return seen
}

const isAscii = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}
