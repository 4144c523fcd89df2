import { expect, test } from '@jest/globals'
import { passableTracestate } from './tracestate.ts'

test('a good header is passed on as it is, without blanks around its members', () => {
  expect(passableTracestate('vendor=t61rcWkgMzE')).toBe('vendor=t61rcWkgMzE')
  expect(passableTracestate('a=1 ,\tt1@sys=b c,,')).toBe('a=1,t1@sys=b c')
})

test.each([
  ['none', undefined],
  ['empty', ''],
  ['too long', `a=${'x'.repeat(511)}`],
  ['too many members', Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(',')],
  ['a key twice', 'a=1,a=2'],
  ['a key in capitals', 'A=1'],
  ['no value', 'a='],
  ['no sign', 'a'],
  ['two signs', 'a=1=2'],
  ['a control character', 'a=\u0001'],
  ['another script', 'a=\u00e9'],
])('%s: nothing is passed on', (_, header) => {
  expect(passableTracestate(header)).toBeUndefined()
})
