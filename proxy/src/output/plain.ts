import type { Machine, Report } from './machine.ts'

/** Functions by which a cell fetches an address or starts a program (OWASP, CSV injection). */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'call',
  'dde',
  'ddeauto',
  'exec',
  'hyperlink',
  'image',
  'importdata',
  'importfeed',
  'importhtml',
  'importrange',
  'importxml',
  'register',
  'rtd',
  'webservice',
])
const LONGEST = 24
/** Between a function and its bracket. */
const BLANKS = 8

/** Formulas in a cell, from its first character to the end of the line. `=cmd|'…'` is how DDE starts a program. */
export const formulaMachine = (report: Report): Machine => {
  let atStart = true
  let inFormula = false
  let first = false
  let blanks = 0
  let word = ''
  let from = 0
  return {
    step(code, at) {
      if (code === 0x0a || code === 0x0d) {
        atStart = true
        inFormula = false
        word = ''
        return
      }
      // An arrow or a comparison begins no formula.
      if (inFormula && first && (code === 0x3e || code === 0x3d)) inFormula = false
      first = false
      if (inFormula) {
        const calls = code === 0x28 && FUNCTIONS.has(baseName(word))
        if (calls || (code === 0x7c && word !== '' && blanks === 0))
          report({ rule: 'spreadsheet-formula', start: from, end: at + 1 })
        if (!isWordUnit(code)) {
          if (code !== 0x20 || ++blanks > BLANKS) word = ''
        } else {
          if (blanks > 0) word = ''
          blanks = 0
          if (word === '') from = at
          word = word.length < LONGEST ? word + String.fromCharCode(code) : '?'.repeat(LONGEST)
        }
      } else if (atStart && begins(code)) {
        inFormula = true
        first = true
        word = ''
      }
      atStart = begins(code) || leads(code) || (atStart && (code === 0x20 || isMark(code)))
    },
    idle: () => !inFormula,
    open: () => inFormula,
    word() {
      first = false
      atStart = false
    },
    end() {
      word = ''
    },
    held: () => (inFormula && word !== '' && word.length < LONGEST ? from : Infinity),
  }
}

/** Without the prefix by which files mark newer functions: `_xlfn.WEBSERVICE`. */
const baseName = (word: string): string => word.slice(word.lastIndexOf('.') + 1).toLowerCase()

/** `=`, `@`, `+`, also as wide as a Chinese character; not `-`, with which lists begin. */
const begins = (code: number): boolean =>
  code === 0x3d || code === 0x40 || code === 0x2b || code === 0xff1d || code === 0xff20 || code === 0xff0b

/** What separates cells. */
const leads = (code: number): boolean => code === 0x2c || code === 0x3b || code === 0x09 || code === 0x7c

const isMark = (code: number): boolean => code === 0x22 || code === 0x27 || code === 0xfeff

const isWordUnit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) ||
  code === 0x2e ||
  code === 0x5f

/** ESC, and the C1 controls that terminals take for an ESC and a letter (ECMA-48). Without it the rest is letters. */
export const escapeMachine = (report: Report): Machine => ({
  step(code, at) {
    if (code === 0x1b || (code >= 0x80 && code <= 0x9f && code !== 0x85)) {
      report({ rule: 'terminal-escape', start: at, end: at + 1 })
    }
  },
  idle: () => true,
  open: () => false,
  word: () => undefined,
  end: () => undefined,
  held: () => Infinity,
})
