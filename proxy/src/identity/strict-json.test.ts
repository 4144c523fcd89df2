import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { foldKey } from '../core/strict-json.ts'
import { parseObject } from './strict-json.ts'

/** Names that differ in case only are refused, and random ones sometimes do. */
const foldsTogether = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  const names = Array.isArray(value) ? [] : Object.keys(value).map(foldKey)
  return new Set(names).size < names.length || Object.values(value).some(foldsTogether)
}

const read = (text: string) => parseObject(Buffer.from(text))

test('what JSON.stringify writes reads back as the same object', () => {
  const object = fc.dictionary(
    fc.string({ unit: 'binary' }).filter((name) => name !== '__proto__'),
    fc.jsonValue({ maxDepth: 5, noUnicodeString: false }),
  )
  fc.assert(
    fc.property(object, (value) => {
      const text = JSON.stringify(value)
      fc.pre(!text.includes('__proto__') && !foldsTogether(JSON.parse(text)))
      expect(read(text)).toEqual(JSON.parse(text))
    }),
  )
})

test('a member name that stands twice is refused at any depth and in any spelling', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"x":[{"a":{"b":1,"c":[],"b":2}}]}',
    '{"a":"}","b":{},"a":2}',
    '{"a":"\\"","a":2}',
  ])
    expect(() => read(text)).toThrow(SyntaxError)
})

test('equal names in different objects are no doubles', () => {
  expect(read('{"a":{"a":1},"b":[{"a":"a"},{"a":["a","a"]}]}')).toEqual({
    a: { a: 1 },
    b: [{ a: 'a' }, { a: ['a', 'a'] }],
  })
})

test.each([
  ['a byte order mark', '\uFEFF{}'],
  ['a __proto__ member', '{"__proto__":{}}'],
  ['a hidden __proto__ member', '{"a":{"\\u005f_proto__":1}}'],
  ['an array', '[]'],
  ['null', 'null'],
  ['nothing', ''],
  ['trailing text', '{} {}'],
  ['17 levels', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`],
])('%s is refused', (_, text) => {
  expect(() => read(text)).toThrow(SyntaxError)
})

test('broken UTF-8 is refused, and no error quotes the input', () => {
  expect(() => parseObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow(SyntaxError)
  expect(() => read('{"secret-name": oops}')).toThrow(/^not strict JSON$/)
})
