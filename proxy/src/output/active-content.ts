import { byPlace, type Category, type Finding } from '../core/finding.ts'
import type { Holds, Scanner, ScanSession } from '../core/scanner.ts'
import { codeSpans, type CodeSpans } from './code-spans.ts'
import { htmlMachine } from './html.ts'
import { activeRules, type Machine, type Sighting } from './machine.ts'
import { markdownMachine } from './markdown.ts'
import { escapeMachine, formulaMachine } from './plain.ts'

/** In a place that every reader of Markdown shows as code. */
const AS_CODE = 0.5

/** Finds what acts when an answer is shown: images and other things that are fetched, scripts, escapes, formulas. */
export const activeContent: Scanner = {
  name: 'active content',
  rules: new Map<string, Category>(Object.entries(activeRules)),
  scan(text) {
    const session = open(() => false)
    return [...session.push(text), ...session.end()].sort(byPlace)
  },
  open: (holds) => open(holds),
}

const open = (holds: Holds): ScanSession => {
  const holding = Object.entries(activeRules).some(([rule, category]) => holds(rule, category))
  const spans = codeSpans()
  const book = sightings(spans)
  const machines: readonly Machine[] = [
    htmlMachine(book.report),
    markdownMachine(book.report),
    formulaMachine(book.report),
    escapeMachine(book.report),
  ]
  let at = 0
  let last = 0
  const clearedNow = (): number => {
    const split = last >= 0xd800 && last <= 0xdbff ? at - 1 : at
    return holding ? Math.min(split, book.held(), ...machines.map((one) => one.held())) : split
  }
  const session = {
    cleared: 0,
    open: false,
    push(piece: string) {
      for (let i = 0; i < piece.length;) {
        last = piece.charCodeAt(i)
        // Most of a text is words outside of everything.
        if (isWordUnit(last) && machines.every(isIdle)) {
          const word = wordAt(piece, i)
          for (const machine of machines) machine.word(word)
          spans.word(word, at)
          i += word.length
          at += word.length
        } else {
          for (const machine of machines) machine.step(last, at)
          spans.step(last, at)
          i++
          at++
        }
        book.settle()
      }
      session.cleared = Math.max(session.cleared, clearedNow())
      session.open = machines.some(isOpen)
      return book.take()
    },
    end() {
      for (const machine of machines) machine.end(at)
      // To a span the end of the text is the end of a line.
      spans.step(0x0a, at)
      book.settle()
      book.giveUp()
      session.cleared = at
      return book.take()
    },
  }
  return session
}

const isIdle = (machine: Machine): boolean => machine.idle()

const isOpen = (machine: Machine): boolean => machine.open()

const isWordUnit = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39)

const wordAt = (piece: string, from: number): string => {
  let to = from + 1
  while (to < piece.length && isWordUnit(piece.charCodeAt(to))) to++
  return piece.slice(from, to)
}

interface Waiting {
  readonly sighting: Sighting
  readonly closed: number
  readonly broken: number
}

/** What was seen, until it is clear whether it stands in code. */
const sightings = (spans: CodeSpans) => {
  let found: Finding[] = []
  let waiting: Waiting[] = []
  const giveUp = (): void => {
    for (const { sighting } of waiting) found.push(findingOf(sighting, false))
    waiting = []
  }
  return {
    report: (sighting: Sighting): void => {
      const where = sighting.rule === 'terminal-escape' ? 'text' : spans.where(sighting.start)
      if (where === 'perhaps') waiting.push({ sighting, closed: spans.closed, broken: spans.broken })
      else found.push(findingOf(sighting, where === 'certain'))
    },
    settle: (): void => {
      if (waiting.length === 0) return
      if (waiting.some(({ broken }) => broken !== spans.broken)) giveUp()
      waiting = waiting.filter(({ sighting, closed }) => {
        if (spans.closed === closed) return true
        found.push(findingOf(sighting, true))
        return false
      })
    },
    giveUp,
    held: () => Math.min(Infinity, ...waiting.map(({ sighting }) => sighting.start)),
    take: (): readonly Finding[] => {
      const out = found
      found = []
      return out
    },
  }
}

const findingOf = ({ rule, start, end, host }: Sighting, asCode: boolean): Finding => ({
  rule,
  category: activeRules[rule],
  score: asCode ? AS_CODE : 1,
  start,
  end,
  evidence: asCode ? ['code'] : [],
  ...(host === undefined ? {} : { host }),
})
