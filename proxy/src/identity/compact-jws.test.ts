import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Refusal } from '../core/refusal.ts'
import { looksLikeJws, readClaims, readCompactJws } from './compact-jws.ts'

const part = (text: string) => Buffer.from(text).toString('base64url')
const token = (header: string, payload = '{}') => `${part(header)}.${part(payload)}.${part('signature')}`
const good = token('{"alg":"ES256","kid":"k","typ":"JWT"}')

test('a strict token is read', () => {
  const { header, payload } = readCompactJws(good)
  expect(header).toEqual({ alg: 'ES256', kid: 'k', typ: 'JWT', hints: [] })
  expect(readClaims(payload)).toEqual({})
})

test.each(['jku', 'x5u', 'jwk', 'x5c', 'crit', 'b64', 'zip', 'cty', 'enc', 'KID', 'x5t#S512'])(
  'a header with %s is refused',
  (name) => {
    expect(() => readCompactJws(token(JSON.stringify({ alg: 'ES256', [name]: 'x' })))).toThrow(Refusal)
  },
)

test.each([
  ['doubled alg', '{"alg":"none","alg":"ES256"}'],
  ['doubled kid in another spelling', '{"alg":"ES256","kid":"a","\\u006bid":"b"}'],
  ['alg of another type', '{"alg":["ES256"]}'],
  ['no alg', '{"kid":"k"}'],
  ['empty kid', '{"alg":"ES256","kid":""}'],
  ['kid as number', '{"alg":"ES256","kid":1}'],
  ['overlong kid', `{"alg":"ES256","kid":"${'k'.repeat(257)}"}`],
  ['no object', '"ES256"'],
])('a header with %s is refused', (_, header) => {
  expect(() => readCompactJws(token(header))).toThrow(Refusal)
})

test.each([
  ['a blank', ` ${good}`],
  ['a line end', `${good}\n`],
  ['padding', `${good}=`],
  ['the base64 alphabet', good.replace(/^./, '+')],
  ['an empty signature', good.slice(0, good.lastIndexOf('.') + 1)],
  ['an empty payload', good.replace(/\.[^.]*\./, '..')],
  ['two parts', good.slice(0, good.lastIndexOf('.'))],
  ['four parts', `${good}.x`],
  ['five parts', `${good}.x.y`],
  ['8193 characters', `${good}${'A'.repeat(8193 - good.length)}`],
])('a token with %s is refused', (_, text) => {
  expect(() => readCompactJws(text)).toThrow(Refusal)
})

test('unused bits in the last character are refused: one signature has one spelling', () => {
  const [header = '', payload = ''] = good.split('.')
  expect(() => readCompactJws(`${header}.${payload}.QR`)).toThrow(Refusal)
  expect(readCompactJws(`${header}.${payload}.QQ`).header.alg).toBe('ES256')
})

test('whatever the text, the answer is a token or a refusal', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('.', 'a', 'Q', '=', '-', '_', 'e') })),
      (text) => {
        try {
          expect(looksLikeJws(text)).toBe(readCompactJws(text).header.alg !== '')
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal)
        }
      },
    ),
  )
})
