import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonPatch, type PatchOperation } from './json-patch.ts'

test('an element that is put in front is one operation', () => {
  expect(jsonPatch({ list: [{ a: 1 }, { b: 2 }] }, { list: [{ g: 0 }, { a: 1 }, { b: 2 }] })).toEqual([
    { op: 'add', path: '/list/0', value: { g: 0 } },
  ])
})

test('keys with slashes and tildes are escaped, and come in order', () => {
  expect(jsonPatch({ 'z/~': 1 }, { 'b/c': 2, 'a~': 3 })).toEqual([
    { op: 'add', path: '/a~0', value: 3 },
    { op: 'add', path: '/b~1c', value: 2 },
    { op: 'remove', path: '/z~1~0' },
  ])
})

test('a patch makes the one value out of the other, and none is needed for equal ones', () =>
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.string(), fc.jsonValue()),
      (a, b) => {
        const before = JSON.parse(JSON.stringify(a)) as unknown
        const after = JSON.parse(JSON.stringify(b)) as unknown
        expect(jsonPatch(before, before)).toEqual([])
        expect(jsonPatch(before, after).reduce(apply, { root: structuredClone(before) })).toEqual({
          root: after,
        })
      },
    ),
  ))

/** The part of RFC 6902 that is used, written anew. */
const apply = (whole: { root: unknown }, operation: PatchOperation): { root: unknown } => {
  const keys = ['root', ...operation.path.split('/').slice(1)].map((key) =>
    key.replace(/~1/g, '/').replace(/~0/g, '~'),
  )
  const last = keys.pop()!
  const parent = keys.reduce<object>((inner, key) => Reflect.get(inner, key) as object, whole)
  if (Array.isArray(parent)) {
    const values = operation.op === 'remove' ? [] : [operation.value]
    parent.splice(Number(last), operation.op === 'add' ? 0 : 1, ...values)
  } else if (operation.op === 'remove') Reflect.deleteProperty(parent, last)
  else
    Object.defineProperty(parent, last, {
      value: operation.value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  return whole
}
