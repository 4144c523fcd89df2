import { luhn, weighted } from './checksums.ts'
import { isYearMonthDay } from './dates.ts'
import { digitsOf, isOneDigit } from './digits.ts'
import { verhoeff } from './verhoeff.ts'

const CHINESE = '10X98765432'
const SINGAPORE: Readonly<Record<string, { readonly offset: number; readonly letters: string }>> = {
  S: { offset: 0, letters: 'JZIHGFEDCBA' },
  T: { offset: 4, letters: 'JZIHGFEDCBA' },
  F: { offset: 0, letters: 'XWUTRQPNMLK' },
  G: { offset: 4, letters: 'XWUTRQPNMLK' },
  M: { offset: 3, letters: 'XWUTRQPNJLK' },
}
// Values of the first letter of a Taiwanese number: ten and up, in this order.
const TAIWANESE = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'

/** National numbers of Asia, Africa and Oceania. */
export const elsewhere = {
  /** Australia, tax file number: weights modulo 11. */
  tfn: (found: string): boolean => {
    const digits = digitsOf(found)
    return (
      digits.length === 9 && weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !isOneDigit(digits)
    )
  },
  /** Australia, Medicare card: first digit 2 to 6, the ninth checks the eight before it. */
  medicare: (found: string): boolean => {
    const digits = digitsOf(found)
    return /^[2-6]/.test(digits) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8])
  },
  /** India: Verhoeff; 0 and 1 are not issued first. */
  aadhaar: (found: string): boolean => {
    const digits = digitsOf(found)
    return digits.length === 12 && !/^[01]/.test(digits) && verhoeff(digits) && !isOneDigit(digits)
  },
  /** China, GB 11643: date of birth and ISO 7064 MOD 11-2. */
  residentId: (found: string): boolean => {
    const year = Number(found.slice(6, 10))
    const sum = weighted(found, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
    return (
      found[0] !== '0' &&
      year >= 1900 &&
      year < 2100 &&
      isYearMonthDay(found.slice(8, 14)) &&
      CHINESE[sum % 11] === found[17]?.toUpperCase()
    )
  },
  /** Japan: modulo 11. */
  myNumber: (found: string): boolean => {
    const digits = digitsOf(found)
    const rest = weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11
    return digits.length === 12 && (rest <= 1 ? 0 : 11 - rest) === Number(digits[11]) && !isOneDigit(digits)
  },
  /** Korea: date of birth. Numbers given since October 2020 have no check digit. */
  rrn: (found: string): boolean => isYearMonthDay(found.slice(0, 6)) && /[1-8]/.test(found[7] ?? ''),
  /** South Africa: date of birth, citizenship and Luhn. */
  southAfricanId: (found: string): boolean =>
    isYearMonthDay(found.slice(0, 6)) && /[0-2]/.test(found[10] ?? '') && luhn(found),
  /** Singapore, NRIC and FIN: weights modulo 11 give the last letter. */
  nric: (found: string): boolean => {
    const series = SINGAPORE[found[0] ?? '']
    if (series === undefined) return false
    const sum = series.offset + weighted(found.slice(1), [2, 7, 6, 5, 4, 3, 2])
    return series.letters[sum % 11] === found[8]
  },
  /** Thailand: modulo 11. */
  thaiId: (found: string): boolean => {
    const digits = digitsOf(found)
    const sum = weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
    return digits.length === 13 && (11 - (sum % 11)) % 10 === Number(digits[12]) && !isOneDigit(digits)
  },
  /** Taiwan: the letter counts as two digits; modulo 10. */
  taiwaneseId: (found: string): boolean => {
    if (!/^[A-Z][1289]\d{8}$/.test(found)) return false
    const letter = TAIWANESE.indexOf(found[0] ?? '') + 10
    const sum =
      Math.floor(letter / 10) + (letter % 10) * 9 + weighted(found.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1])
    return sum % 10 === 0
  },
  /** Israel: the Luhn of nine digits. */
  israeliId: (found: string): boolean =>
    luhn(digitsOf(found).padStart(9, '0')) && !isOneDigit(digitsOf(found)),
}
