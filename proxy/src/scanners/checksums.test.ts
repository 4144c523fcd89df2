import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { iso7064Mod11And10, luhn, remainder } from './checksums.ts'
import { isIban } from './payment.ts'
import { verhoeff } from './verhoeff.ts'

const digits = (min: number, max: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max }).map((list) => list.join(''))

const completions = (body: string, check: (digits: string) => boolean): number =>
  Array.from('0123456789').filter((digit) => check(body + digit)).length

test.each([
  ['Luhn', luhn],
  ['Verhoeff', verhoeff],
  ['ISO 7064 MOD 11,10', iso7064Mod11And10],
])('%s accepts one check digit for any number', (_, check) =>
  fc.assert(fc.property(digits(1, 30), (body) => expect(completions(body, check)).toBe(1))),
)

test('Verhoeff notices every swap of two neighbours', () =>
  fc.assert(
    fc.property(digits(2, 20), fc.nat(), (body, seed) => {
      const number = body + (Array.from('0123456789').find((digit) => verhoeff(body + digit)) ?? '')
      const at = seed % (number.length - 1)
      const swapped = number.slice(0, at) + number.charAt(at + 1) + number.charAt(at) + number.slice(at + 2)
      expect(verhoeff(swapped)).toBe(swapped === number)
    }),
  ))

test('the remainder of a long number equals that of big integers', () =>
  fc.assert(
    fc.property(digits(1, 60), fc.integer({ min: 2, max: 1_000_000 }), (number, modulus) =>
      expect(remainder(number, modulus)).toBe(Number(BigInt(number) % BigInt(modulus))),
    ),
  ))

test('an IBAN is refused when any one digit changes', () =>
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 21 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
      const iban = 'DE89370400440532013000'
      const changed = String((Number(iban[at]) + by) % 10)
      expect(isIban(iban.slice(0, at) + changed + iban.slice(at + 1))).toBe(false)
    }),
  ))
