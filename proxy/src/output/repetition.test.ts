import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { repetition } from './repetition.ts'

const starts = (text: string): readonly number[] => repetition.scan(text).map(({ start }) => start)

const words = (count: number): string =>
  Array.from({ length: count }, (_, i) => `word${(i * 7919) % 9973}`).join(' ')

test.each([
  ['a word', 'amber '.repeat(2000)],
  ['a letter', 'x'.repeat(5000)],
  ['an empty line', '\n'.repeat(5000)],
  ['a character outside the basic plane', '😀'.repeat(3000)],
  ['a sentence', 'The cat sat on the mat and looked at the moon. '.repeat(200)],
  ['a paragraph', `${words(60)}\n\n`.repeat(60)],
  ['a word after an answer', words(2000) + ' again'.repeat(1000)],
])('%s over and over is found, once', (_, text) => {
  expect(starts(text)).toHaveLength(1)
})

test.each([
  ['text that goes on', words(5000)],
  ['a short repetition', 'amber '.repeat(600)],
  ['a table', Array.from({ length: 500 }, (_, i) => `| item ${i} | ${(i * 37) % 101} | yes |`).join('\n')],
  ['a numbered list', Array.from({ length: 600 }, (_, i) => `${i}. The same line.`).join('\n')],
])('%s is not', (_, text) => {
  expect(starts(text)).toEqual([])
})

test('where a text is cut changes nothing, and nothing waits', () => {
  const text = `${words(300)} ${'again and '.repeat(1000)}`
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 40 }), (cuts) => {
      const session = repetition.open(() => true)
      const at = [0, ...cuts.sort((a, b) => a - b), text.length]
      const found = at.slice(1).flatMap((end, i) => {
        const piece = session.push(text.slice(at[i], end))
        expect(session.cleared).toBe(end)
        return piece
      })
      expect([...found, ...session.end()]).toEqual(repetition.scan(text))
    }),
    { numRuns: 50 },
  )
})
