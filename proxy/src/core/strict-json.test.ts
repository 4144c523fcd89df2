import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Refusal } from './refusal.ts'
import { readJson, readJsonText } from './strict-json.ts'

const limits = { depth: 32, nodes: 10_000, keys: 1_000 }
const read = (text: string | Uint8Array): unknown =>
  readJson(typeof text === 'string' ? Buffer.from(text) : text, limits)

const why = (text: string | Uint8Array): string => {
  try {
    read(text)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'body_invalid') return error.details.join()
    throw error
  }
  return 'accepted'
}

const accepted = [
  '{}', '[]', 'null', 'true', ' false ', '""', '0', '-0', '-1', '1.5', '1E5', '1e-5', '0.1e+1', '[1 , 2]', '\t\n\r [ ] ',
  '{"a":{"a":{"a":1}}}', '[{"a":1},{"a":2}]', '{"a:b,c{[":"]}"}', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"', '"\\\\"',
  '"\\ud83d\\ude00"', '"😀é\u2028\u2029\u007f"', '"\\u0000"', '9007199254740991', '-9007199254740991', '9007199254740992',
  '0.123456789012345678901234567890', '{"constructor":1,"toString":2,"":3}', '{"a":"A","b":"B"}', '[1e308]',
  '{"é":1,"è":2}', `[${'1,'.repeat(100)}1]`,
] // prettier-ignore

test.each(accepted)('%j is read as JSON.parse reads it', (text) => {
  expect(read(text)).toEqual(JSON.parse(text))
})

const refused: readonly (readonly [string | Uint8Array, RegExp])[] = [
  ['', /not valid JSON/],
  [' ', /not valid JSON/],
  ['{} {}', /byte 3: not valid JSON/],
  ['{"a":1}x', /byte 7/],
  ['[1,]', /not valid JSON/],
  ['{"a":1,}', /not valid JSON/],
  ['[,1]', /not valid JSON/],
  ["{'a':1}", /not valid JSON/],
  ['{a:1}', /not valid JSON/],
  ['{"a" 1}', /not valid JSON/],
  ['{"a"::1}', /not valid JSON/],
  ['{:::}', /not valid JSON/],
  ['[1 2]', /not valid JSON/],
  ['"', /not valid JSON/],
  ['"\\"', /not valid JSON/],
  ['"\n"', /not valid JSON/],
  ['"\u0000"', /not valid JSON/],
  ['"\\x41"', /not valid JSON/],
  ['"\\u12"', /not valid JSON/],
  ['01', /not valid JSON/],
  ['+1', /not valid JSON/],
  ['-', /not valid JSON/],
  ['.5', /not valid JSON/],
  ['1.', /not valid JSON/],
  ['0x10', /not valid JSON/],
  ['1e', /not valid JSON/],
  ['NaN', /not valid JSON/],
  ['-Infinity', /not valid JSON/],
  ['True', /not valid JSON/],
  ['/* a */ {}', /not valid JSON/],
  ['{} // a', /not valid JSON/],
  ['\u00a0{}', /not valid JSON/],
  ['\ufeff{}', /byte order mark/],
  [']', /not valid JSON/],
  ['[}', /not valid JSON/],
  ['{"a":1,"a":2}', /byte 7: the same key twice/],
  ['{"a":1,"b":{"c":1,"c":1}}', /byte 18: the same key twice/],
  ['{"é":1,"a":1,"a":{}}', /byte 14: the same key twice/],
  ['{"a":1,"\\u0061":2}', /the same key twice/],
  ['{"messages":1,"Messages":2}', /letter case/],
  ['{"a":{"STREAM":1,"stream":2}}', /^\/a: two keys differ in letter case/],
  ['{"k":1,"\u212a":2}', /letter case/],
  ['{"s":1,"\u017f":2}', /letter case/],
  ['{"ß":1,"ẞ":2}', /letter case/],
  ['{"σ":1,"ς":2}', /letter case/],
  ['{"a":[{"__proto__":{}}]}', /^\/a\/0: the key __proto__/],
  ['{"\\u005f_proto__":1}', /__proto__/],
  ['["\\ud800"]', /^\/0: half of a surrogate pair/],
  ['["\\udc00\\ud800"]', /half of a surrogate/],
  ['{"\\ud83d":1}', /half of a surrogate pair in a key/],
  ['[1e400]', /byte 1: this number/],
  ['[-1e309]', /this number/],
  ['[1e-400]', /this number/],
  ['9007199254740993', /this number/],
  ['9223372036854775807', /this number/],
  ['9223372036854775808', /this number/],
  ['-9223372036854775809', /this number/],
  ['1000000000000000000000', /this number/],
  [`0.${'1'.repeat(600)}`, /that long/],
  ['['.repeat(33) + ']'.repeat(33), /byte 32: nested deeper than 32/],
  ['['.repeat(100_000), /nested deeper/],
  ['{"a":'.repeat(100_000), /nested deeper/],
  [`[${'[],'.repeat(10_000)}1]`, /more than 10000 values/],
  [`{${Array.from({ length: 1001 }, (_, n) => `"k${String(n)}":1`).join()}}`, /more than 1000 keys/],
  [Uint8Array.of(0x22, 0xff, 0x22), /UTF-8/],
  [Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), /UTF-8/],
  [Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), /UTF-8/],
  [Uint8Array.of(0x22, 0xe9, 0x22), /UTF-8/],
  [Buffer.from('{}', 'utf16le'), /not valid JSON/],
]

test.each(refused)('%j is refused, saying what is wrong', (text, expected) => {
  expect(why(text)).toMatch(expected)
})

test('an error never quotes the body', () => {
  expect(why('{"password": hunter2}')).not.toMatch(/hunter2|password/)
  expect(why('{"my secret":{"A":1,"a":2}}')).toBe('/?: two keys differ in letter case only')
})

test('any JSON value that JSON.stringify writes is read back', () =>
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value)
      const reason = why(text)
      if (reason === 'accepted') expect(read(text)).toEqual(JSON.parse(text))
      else expect(reason).toMatch(/letter case|__proto__|surrogate|this number/)
    }),
    { numRuns: 500 },
  ))

test('whatever JSON.parse refuses is refused, wherever a text is broken', () =>
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.nat(),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '\u0000', 'x'),
      (value, place, insert) => {
        const text = JSON.stringify(value)
        const at = place % (text.length + 1)
        const broken = text.slice(0, at) + insert + text.slice(at + (insert === '' ? 1 : 0))
        if (why(broken) === 'accepted') expect(() => JSON.parse(broken) as unknown).not.toThrow()
      },
    ),
    { numRuns: 2000 },
  ))

test('a key that was said before is always found', () =>
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      (names, pick) => {
        const again = names[pick % names.length]!
        const object = `{${[...names, again].map((name) => `${JSON.stringify(name)}:{"x":[]}`).join()}}`
        expect(why(object)).toMatch(/same key twice|letter case|__proto__|surrogate/)
      },
    ),
  ))

test('hostile texts of a megabyte are done with at once', () => {
  for (const text of [
    `"${'\\"'.repeat(500_000)}"`,
    `"${'\\\\'.repeat(500_000)}"`,
    '"\\'.repeat(300_000),
    '-'.repeat(1_000_000),
    '1'.repeat(1_000_000),
    `[${'1e5,'.repeat(200_000)}1]`,
  ]) {
    expect(['accepted', 'refused']).toContain(why(text) === 'accepted' ? 'accepted' : 'refused')
  }
  expect(readJsonText('[1]', limits)).toEqual([1])
})
