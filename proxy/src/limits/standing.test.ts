import { expect, test } from '@jest/globals'
import { duration } from './standing.ts'

test.each([
  [0, '0ms'],
  [0.2, '1ms'],
  [120, '120ms'],
  [1000, '1s'],
  [7500, '7.5s'],
  [59_999, '59.999s'],
  [60_000, '1m0s'],
  [360_000, '6m0s'],
  [3_661_000, '1h1m1s'],
])('%d ms is written as %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})
