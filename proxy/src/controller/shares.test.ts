import { expect, test } from '@jest/globals'
import { shares } from './shares.ts'

test('one address takes no more than its share, all together no more than there is, and what is given back is there again', () => {
  const some = shares({ all: 10, each: 4 })
  expect([some.take('a', 3), some.take('a', 2), some.take('a', 1)]).toEqual([true, false, true])
  expect([some.take('b', 4), some.take('c', 3), some.take('c', 2)]).toEqual([true, false, true])
  expect(some.take('d', 1)).toBe(false)
  some.give('a', 4)
  expect(some.take('d', 4)).toBe(true)
  expect(some.take('a', 1)).toBe(false)
})
