import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { DataFile } from './collect.ts'
import { mergeData } from './merge.ts'

const file = (value: unknown, configMap = 'a'): DataFile => ({
  configMap,
  key: 'data.json',
  text: JSON.stringify(value),
  value: value as JsonObject,
})

// RFC 7386, appendix A, as far as both sides are objects
test.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('%s patched by %s is %s', (base, patch, expected) => {
  const { data, problems } = mergeData(JSON.parse(base) as JsonObject, [file(JSON.parse(patch))])
  expect(problems).toEqual([])
  expect(data).toEqual(JSON.parse(expected))
})

const conflicts: readonly (readonly [string, unknown, unknown, string])[] = [
  ['another value', { a: { b: 1 } }, { a: { b: 2 } }, '/a/b'],
  ['a value in place of members', { a: { b: 1 } }, { a: 2 }, '/a'],
  ['members in place of a value', { a: 2 }, { a: { b: 1 } }, '/a'],
  ['a removal of what is set', { a: { b: 1 } }, { a: null }, '/a'],
  ['something in what is removed', { a: null }, { a: { b: 1 } }, '/a'],
  ['a removal of an empty object', { a: {} }, { a: null }, '/a'],
  ['another list', { 'a/b': [1] }, { 'a/b': [1, 2] }, '/a~1b'],
]
test.each(conflicts)(
  '%s is a conflict, and nothing of the later file counts',
  (...[, first, second, path]) => {
    const { data, problems } = mergeData({}, [file(first), file({ z: 1 }, 'b'), file(second, 'c')])
    expect(problems).toEqual([
      {
        code: 'data_conflict',
        configMap: 'c',
        key: 'data.json',
        message: expect.stringContaining(`sets ${path} otherwise than ConfigMap a,`),
      },
    ])
    expect(data).toMatchObject({ z: 1 })
  },
)

test('the same value set twice is no conflict', () => {
  const { data, problems } = mergeData({}, [file({ a: { b: [1] } }), file({ a: { b: [1], c: 2 } }, 'b')])
  expect(problems).toEqual([])
  expect(data).toEqual({ a: { b: [1], c: 2 } })
})

const objects = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject)

test('without a conflict, the order of files does not matter', () =>
  fc.assert(
    fc.property(objects, objects, objects, (base, one, other) => {
      const forth = mergeData(base, [file(one), file(other, 'b')])
      const back = mergeData(base, [file(other, 'b'), file(one)])
      expect(forth.problems.length).toBe(back.problems.length)
      if (forth.problems.length === 0) expect(forth.data).toEqual(back.data)
    }),
  ))
