import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { isAmbiguousJson, nestedJson, textAt, withEdits } from './edit.ts'
import type { Json, JsonObject } from './json.ts'
import type { Path } from './text.ts'
import { IN_JSON, KEY_OF } from './text.ts'

const body: JsonObject = {
  model: 'm',
  messages: [
    { role: 'user', content: 'one' },
    { role: 'assistant', tool_calls: [{ function: { arguments: '{ "city": "Bern", "n": {"x": ["y"]} }' } }] },
  ],
}

const args: Path = ['messages', 1, 'tool_calls', 0, 'function', 'arguments', IN_JSON]

test('an edit replaces one string and shares what is not on its path', () => {
  const edited = withEdits(body, [{ path: ['messages', 0, 'content'], value: 'two' }])
  expect(textAt(edited, ['messages', 0, 'content'])).toBe('two')
  expect((edited['messages'] as Json[])[1]).toBe((body['messages'] as Json[])[1])
  expect(textAt(body, ['messages', 0, 'content'])).toBe('one')
  expect(withEdits(body, [])).toBe(body)
})

test('an edit reaches into JSON that is in a string', () => {
  const edited = withEdits(body, [
    { path: [...args, 'city'], value: 'a "quoted"\nplace' },
    { path: [...args, 'n', 'x', 0], value: 'z' },
  ])
  expect(textAt(edited, [...args, 'city'])).toBe('a "quoted"\nplace')
  expect(JSON.parse(textAt(edited, args.slice(0, -1))!)).toEqual({
    city: 'a "quoted"\nplace',
    n: { x: ['z'] },
  })
})

test('an edit renames a key, keeps the order, and the value below can be edited too', () => {
  const edited = withEdits({ o: { a: 'x', b: { c: 'y' }, d: 'z' } }, [
    { path: ['o', 'b', KEY_OF], value: '[SECRET]' },
    { path: ['o', 'b', 'c'], value: 'Y' },
  ])
  expect(JSON.stringify(edited)).toBe('{"o":{"a":"x","[SECRET]":{"c":"Y"},"d":"z"}}')
  expect(textAt(edited, ['o', '[SECRET]', KEY_OF])).toBe('[SECRET]')
})

test('keys that become equal stay apart, also in letter case, for thousands of keys', () => {
  const names = Array.from({ length: 5000 }, (_, index) => `key${String(index)}`)
  const object = { 'x_2': 0, ...Object.fromEntries(names.map((name) => [name, 1])) } // prettier-ignore
  const edited = withEdits(
    object,
    names.map((name, index) => ({ path: [name, KEY_OF], value: index % 2 ? 'x' : 'X' })),
  )
  const keys = Object.keys(edited).map((key) => key.toLowerCase())
  expect(new Set(keys).size).toBe(5001)
})

test('a key can become __proto__ without touching a prototype', () => {
  const edited = withEdits({ a: { polluted: 'x' } }, [{ path: ['a', KEY_OF], value: '__proto__' }])
  expect(Object.keys(edited)).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(edited)).toBe(Object.prototype)
})

test.each<Path>([
  ['nothing'],
  ['messages', 7, 'content'],
  ['messages', 0],
  ['messages', 0, 'content', 'deeper'],
  ['messages', 0, KEY_OF],
  ['model', IN_JSON],
  ['toString'],
])('an edit that does not lead to a string is an error: %j', (...path) => {
  expect(() => withEdits(body, [{ path, value: 'x' }])).toThrow('does not lead to a string')
})

test('only JSON that every parser reads alike is JSON in a string', () => {
  expect(nestedJson('{"a":1}')).toEqual({ a: 1 })
  for (const text of ['{"a":1,"a":2}', '{"a":', 'plain', '12345678901234567890', '{"A":1,"a":1}']) {
    expect(nestedJson(text)).toBeUndefined()
  }
})

test('JSON that hides characters from some readers only is ambiguous', () => {
  expect(isAmbiguousJson('{"a":"\\u0041","a":1}')).toBe(true)
  expect(isAmbiguousJson('{"A":"\\u0041","a":1}')).toBe(true)
  for (const text of ['{"a":"\\u0041"}', '{"a":1,"a":1}', 'a \\u0041', '{"a":"\\u0041']) {
    expect(isAmbiguousJson(text)).toBe(false)
  }
})

/** All paths to strings and keys, strings that hold JSON looked into. */
const paths = (value: Json, at: Path = []): Path[] => {
  if (typeof value === 'string') {
    const inner = nestedJson(value)
    const nested = typeof inner === 'object' && inner !== null ? paths(inner, [...at, IN_JSON]) : []
    return nested.length > 0 ? nested : [at]
  }
  if (Array.isArray(value)) return value.flatMap((entry: Json, index) => paths(entry, [...at, index]))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => [
    [...at, key, KEY_OF],
    ...paths(member, [...at, key]),
  ])
}

const tree = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 3 }))
  .map((object) => JSON.parse(JSON.stringify({ ...object, json: JSON.stringify(object) })) as JsonObject)
  .filter((object) => nestedJson(JSON.stringify(object)) !== undefined)

test('editing then reading gives the value, and nothing else changes', () =>
  fc.assert(
    fc.property(tree, fc.nat(), (object, pick) => {
      const all = paths(object)
      const path: Path = all[pick % all.length]!
      const edited = withEdits(object, [{ path, value: 'an edited text' }])
      const renamed = path.at(-1) === KEY_OF
      const place: Path = renamed ? [...path.slice(0, -2), 'an edited text', KEY_OF] : path
      expect(textAt(edited, place)).toBe('an edited text')
      const back = withEdits(edited, [{ path: place, value: textAt(object, path)! }])
      expect(paths(back).length).toBe(all.length)
      for (const each of all) expect(textAt(back, each)).toBe(textAt(object, each))
    }),
  ))
