import { iso7064Mod11And10, luhn, remainder, weighted } from './checksums.ts'
import { isDay, isDayMonthYear, isYearMonthDay } from './dates.ts'
import { alphanumericsOf, digitsOf, isOneDigit } from './digits.ts'

const SPANISH = 'TRWAGMYFPDXBNJZSQVHLCKE'
const FINNISH = '0123456789ABCDEFHJKLMNPRSTUVWXY'
const IRISH = 'WABCDEFGHIJKLMNOPQRSTUV'

// Agenzia delle Entrate: values of the characters at odd places, digits as the letters A to J.
const ITALIAN_ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]
const ITALIAN_MONTHS = 'ABCDEHLMPRST'
const ITALIAN_DIGITS = 'LMNPQRSTUV'

const italianIndex = (character: string): number =>
  /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65

/** Digits that were replaced by letters because two people had the same code. */
const italianNumber = (text: string): number =>
  Number(
    Array.from(text, (c) => (ITALIAN_DIGITS.includes(c) ? String(ITALIAN_DIGITS.indexOf(c)) : c)).join(''),
  )

const twice = (digits: string): number => new Set(digits).size

/** National numbers of western and southern Europe. */
export const westEuropean = {
  /** United Kingdom: prefixes that HMRC does not allocate. */
  nino: (found: string): boolean =>
    /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ \d]/.test(found),
  /** United Kingdom: modulo 11. */
  nhs: (found: string): boolean => {
    const digits = digitsOf(found)
    const check = (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11
    return digits.length === 10 && check === Number(digits[9]) && !isOneDigit(digits)
  },
  /** Germany: ISO 7064 MOD 11,10, and among the first ten digits exactly one is there twice or three times. */
  steuerId: (found: string): boolean => {
    const digits = digitsOf(found)
    const kinds = twice(digits.slice(0, 10))
    return (
      digits.length === 11 && digits[0] !== '0' && (kinds === 9 || kinds === 8) && iso7064Mod11And10(digits)
    )
  },
  /** France: 97 minus the number modulo 97; Corsica's letters count as 19 and 18. */
  nir: (found: string): boolean => {
    const text = alphanumericsOf(found).replace('2A', '19').replace('2B', '18')
    const month = Number(text.slice(3, 5))
    return (
      /^[12]\d{14}$/.test(text) &&
      ((month >= 1 && month <= 12) || month >= 20) &&
      97 - remainder(text.slice(0, 13), 97) === Number(text.slice(13))
    )
  },
  /** Spain, DNI and NIE: a letter by modulo 23. */
  dni: (found: string): boolean => {
    const text = alphanumericsOf(found)
    const digits = text.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
    return SPANISH[remainder(digits, 23)] === text.at(-1) && !isOneDigit(digits)
  },
  /** Italy: month letter, day, and the check character. */
  codiceFiscale: (found: string): boolean => {
    const text = found.toUpperCase()
    let sum = 0
    for (let i = 0; i < 15; i++) {
      const index = italianIndex(text[i] ?? '')
      sum += i % 2 === 0 ? (ITALIAN_ODD[index] ?? 0) : index
    }
    const day = italianNumber(text.slice(9, 11)) % 40
    return (
      isDay(ITALIAN_MONTHS.indexOf(text[8] ?? '') + 1, day) &&
      String.fromCharCode(65 + (sum % 26)) === text[15]
    )
  },
  /** Netherlands: the eleven test. */
  bsn: (found: string): boolean => {
    const digits = digitsOf(found).padStart(9, '0')
    return weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !isOneDigit(digits)
  },
  /** Belgium: date of birth and 97 minus the number modulo 97, with a leading 2 since the year 2000. */
  rijksregister: (found: string): boolean => {
    const digits = digitsOf(found)
    const check = Number(digits.slice(9))
    const body = digits.slice(0, 9)
    const month = Number(digits.slice(2, 4)) % 20
    return (
      isDay(month, Number(digits.slice(4, 6))) &&
      (97 - remainder(body, 97) === check || 97 - remainder(`2${body}`, 97) === check)
    )
  },
  /** Portugal: modulo 11, first digit of a kind that is issued. */
  nif: (found: string): boolean => {
    const digits = digitsOf(found)
    const check = 11 - (weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)
    return /^[1235689]/.test(digits) && (check > 9 ? 0 : check) === Number(digits[8]) && !isOneDigit(digits)
  },
  /** Switzerland: EAN-13 on the prefix 756. */
  ahv: (found: string): boolean => {
    const digits = digitsOf(found)
    return digits.length === 13 && weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0
  },
  /** Ireland: a letter by modulo 23; the second letter counts nine times. */
  pps: (found: string): boolean => {
    const second = found[8] ?? 'W'
    const sum = weighted(found, [8, 7, 6, 5, 4, 3, 2]) + 9 * Math.max(0, IRISH.indexOf(second))
    return IRISH[sum % 23] === found[7]
  },
}

/** National numbers of northern and eastern Europe and of Turkey. */
export const eastEuropean = {
  /** Poland: the month carries the century; weights modulo 10. */
  pesel: (found: string): boolean => {
    const digits = digitsOf(found)
    const month = Number(digits.slice(2, 4)) % 20
    return (
      isDay(month, Number(digits.slice(4, 6))) &&
      weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
    )
  },
  /** Sweden: Luhn over the last ten digits; coordination numbers have 60 added to the day. */
  personnummer: (found: string): boolean => {
    const digits = digitsOf(found).slice(-10)
    const day = Number(digits.slice(4, 6))
    return (
      /^(?:(?:18|19|20)\d{6}|\d{6})[-+]/.test(found) &&
      isDay(Number(digits.slice(2, 4)), day > 60 ? day - 60 : day) &&
      luhn(digits)
    )
  },
  /** Finland: the nine digits modulo 31. */
  hetu: (found: string): boolean => {
    const digits = digitsOf(found.slice(0, 10))
    return isDayMonthYear(digits) && digits.length === 9 && FINNISH[Number(digits) % 31] === found[10]
  },
  /** Norway: two check digits modulo 11; D-numbers have 40 added to the day. */
  fodselsnummer: (found: string): boolean => {
    const digits = digitsOf(found)
    return (
      digits.length === 11 &&
      isDay(Number(digits.slice(2, 4)), Number(digits.slice(0, 2)) % 40) &&
      weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
    )
  },
  /** Czechia and Slovakia, since 1954: ten digits divisible by 11; women have 50 added to the month. */
  rodneCislo: (found: string): boolean => {
    const digits = digitsOf(found)
    const month = Number(digits.slice(2, 4)) % 50
    return isDay(month > 20 ? month - 20 : month, Number(digits.slice(4, 6))) && remainder(digits, 11) === 0
  },
  /** Romania: date, county and a check digit modulo 11. */
  cnp: (found: string): boolean => {
    const digits = digitsOf(found)
    const check = weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
    return (
      /^[1-8]/.test(digits) &&
      isYearMonthDay(digits.slice(1, 7)) &&
      (check === 10 ? 1 : check) === Number(digits[12])
    )
  },
  /** Turkey: two check digits modulo 10. */
  tckn: (found: string): boolean => {
    const d = Array.from(digitsOf(found), Number)
    const at = (i: number): number => d[i] ?? 0
    const odd = at(0) + at(2) + at(4) + at(6) + at(8)
    const even = at(1) + at(3) + at(5) + at(7)
    const sum = d.slice(0, 10).reduce((a, b) => a + b, 0)
    return d.length === 11 && at(0) !== 0 && (odd * 7 - even + 100) % 10 === at(9) && sum % 10 === at(10)
  },
}
