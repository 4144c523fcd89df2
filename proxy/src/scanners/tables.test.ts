import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileScanner } from '../text/scanner.ts'
import { tables } from './tables.ts'

const rules = tables.flatMap(({ rules }) => Object.entries(rules))

test('every id is kebab-case, short, and there once', () => {
  const ids = rules.map(([id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/)
  expect(Math.max(...ids.map((id) => id.length))).toBeLessThanOrEqual(40)
})

test('every score is above 0 and at most 1', () => {
  for (const [, { score = 1 }] of rules) {
    expect(score).toBeGreaterThan(0)
    expect(score).toBeLessThanOrEqual(1)
  }
})

test('no check throws, whatever it gets', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      for (const [, { check }] of rules) if (check !== undefined) expect(typeof check(text)).toBe('boolean')
    }),
    { numRuns: 300 },
  )
})

test('all tables compile into one scanner that reads any text', () => {
  const scanner = compileScanner({ name: 'all', tables })
  expect(scanner.rules.size).toBe(rules.length)
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const { start, end } of scanner.scan(text))
        expect(start >= 0 && start < end && end <= text.length).toBe(true)
    }),
    { numRuns: 200 },
  )
})
