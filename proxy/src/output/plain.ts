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

/** Formulas in a cell, from its first character to the end of the line. `=cmd|'…'` is how DDE starts a program. */
export const formulaMachine = (report: Report): Machine => {
  let atStart = true
  let inFormula = false
  let first = false
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
        const calls = code === 0x28 && FUNCTIONS.has(word.toLowerCase())
        if (calls || (code === 0x7c && word !== ''))
          report({ rule: 'spreadsheet-formula', start: from, end: at + 1 })
        if (!isWordUnit(code)) word = ''
        else {
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

/** `=`, `@`, `+`; not `-`, with which lists begin. */
const begins = (code: number): boolean => code === 0x3d || code === 0x40 || code === 0x2b

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
