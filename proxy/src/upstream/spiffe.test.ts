import { expect, test } from '@jest/globals'
import { uriNames } from './spiffe.ts'

test.each([
  ['', []],
  ['DNS:a.example', []],
  ['URI:spiffe://td/ns/a', ['spiffe://td/ns/a']],
  ['DNS:a, URI:spiffe://td/a, IP Address:10.0.0.1', ['spiffe://td/a']],
  ['URI:spiffe://td/a, URI:spiffe://td/b', ['spiffe://td/a', 'spiffe://td/b']],
  ['URI:"spiffe://td/a, URI:spiffe://td/b"', ['spiffe://td/a, URI:spiffe://td/b']],
  ['DNS:"x, URI:spiffe://td/admin", URI:spiffe://td/a', ['spiffe://td/a']],
  ['DNS:"\\", URI:spiffe://td/admin", URI:spiffe://td/a', ['spiffe://td/a']],
  ['URI:"broken', ['"broken']],
  ['nonsense', []],
])('%s holds the URI names %j', (text, names) => {
  expect(uriNames(text)).toEqual(names)
})
