import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Finding } from '../core/finding.ts'
import type { Scanner } from '../core/scanner.ts'
import { compileScanner } from './scanner.ts'
import { tables, texts } from './test-rules.ts'

const scanner = compileScanner({ name: 'test', tables })

/** In one order, whatever the order in which they became certain. */
const sorted = (findings: readonly Finding[]): readonly string[] =>
  findings
    .map(
      ({ rule, start, end, evidence }) => `${String(start).padStart(6)} ${end} ${rule} ${evidence.join(' ')}`,
    )
    .toSorted()

/** Pieces of a text, cut at any unit. */
const pieces = (text: string, cuts: readonly number[]): readonly string[] => {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].toSorted(
    (a, b) => a - b,
  )
  return at.slice(1).map((end, i) => text.slice(at[i], end))
}

const stream = (of: Scanner, parts: readonly string[]): readonly Finding[] => {
  const session = of.open(() => true)
  const found = parts.flatMap((part) => session.push(part))
  return [...found, ...session.end()]
}

test('where a text is cut changes nothing', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
      expect(sorted(stream(scanner, pieces(text, cuts)))).toEqual(sorted(scanner.scan(text)))
    }),
    { numRuns: 1500 },
  )
})

test('a text may come unit by unit', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(sorted(stream(scanner, text.split('')))).toEqual(sorted(scanner.scan(text)))
    }),
    { numRuns: 300 },
  )
})

test('what is cleared stays cleared, and no finding of a held rule begins in it', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
      const session = scanner.open((rule) => rule !== 'email')
      let cleared = 0
      let length = 0
      const check = (found: readonly Finding[]): void => {
        for (const { rule, start } of found)
          if (rule !== 'email') expect(start).toBeGreaterThanOrEqual(cleared)
      }
      for (const piece of pieces(text, cuts)) {
        check(session.push(piece))
        length += piece.length
        expect(session.cleared).toBeGreaterThanOrEqual(cleared)
        expect(session.cleared).toBeLessThanOrEqual(length)
        cleared = session.cleared
        const unit = text.charCodeAt(cleared)
        const inPair = unit >= 0xdc00 && unit <= 0xdfff && /[\uD800-\uDBFF]/.test(text.charAt(cleared - 1))
        expect(inPair).toBe(false)
      }
      check(session.end())
      expect(session.cleared).toBe(text.length)
    }),
    { numRuns: 1500 },
  )
})
