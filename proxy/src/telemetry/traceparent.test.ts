import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { formatTraceparent, newTraceparent, parseTraceparent } from './traceparent.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test('a valid header is read', () => {
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true })
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-02`)?.sampled).toBe(false)
})

test('a later version is read as far as it is known', () => {
  expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future`)?.traceId).toBe(TRACE)
  expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01.what`)).toBeUndefined()
})

test.each([
  ['nothing', ''],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['more after version 00', `00-${TRACE}-${SPAN}-01-x`],
  ['leading blank', ` 00-${TRACE}-${SPAN}-01`],
  ['line break', `00-${TRACE}-${SPAN}-01\n`],
  ['endless', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`],
])('%s is not a trace parent', (_, header) => {
  expect(parseTraceparent(header)).toBeUndefined()
})

test('what is written reads back, and new ones are always valid', () => {
  fc.assert(
    fc.property(fc.boolean(), (sampled) => {
      const made = { ...newTraceparent(), sampled }
      expect(parseTraceparent(formatTraceparent(made))).toEqual(made)
    }),
  )
})
