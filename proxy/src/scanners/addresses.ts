import { isNumericDate } from './dates.ts'
import { digitsOf, isOneDigit } from './digits.ts'

// Ends of file names that stand after an @ in image sets and package specifiers.
const NOT_TLD = /\.(?:png|jpe?g|gif|svg|webp|css|js|ts|mjs|tgz|zip|json|md|html?|py|php)$/i

/** An address of RFC 5321's usual form: no dot at the ends or doubled, no label that begins or ends with a hyphen, no file name. */
export const isEmail = (found: string): boolean =>
  found.length <= 254 &&
  !/^\.|\.\.|\.@|@-|-\.|\.-/.test(found) &&
  !/^(?:git|hg|svn)@/i.test(found) &&
  !NOT_TLD.test(found)

// ITU-T E.164: country codes in use, by their first digits.
const COUNTRY =
  /^(?:1|7|2(?:0|1[1236]|[2346]\d|5[0-8]|7|9[0178])|3(?:[0-4]|[57]\d|6|8[0-35-79]|9)|4(?:[013-9]|2[013])|5(?:0\d|[1-8]|9\d)|6(?:[0-6]|[789]\d)|8(?:[12346]|[058]\d|7\d)|9(?:[0-58]|[67]\d|9[2-68]))/

/** An international number: a country code in use and 8 to 15 digits. Written in groups, a number that follows may have been taken in. */
export const isInternationalPhone = (found: string): boolean => {
  const digits = digitsOf(found).replace(/^00/, '')
  return (
    digits.length >= 8 &&
    digits.length <= (/\d[ ().-]/.test(found) ? 20 : 15) &&
    COUNTRY.test(digits) &&
    !isOneDigit(digits.slice(1))
  )
}

/** A national number: 7 to 15 digits, no date, no run of one digit. */
export const isNationalPhone = (found: string): boolean => {
  const digits = digitsOf(found)
  return (
    digits.length >= 7 &&
    digits.length <= 15 &&
    !isNumericDate(found) &&
    !isOneDigit(digits) &&
    !/^(\d)\1+0*$/.test(digits)
  )
}

/** North American Numbering Plan: neither area code nor exchange begins with 0 or 1, and 911-like exchanges are not given. */
export const isNorthAmericanPhone = (found: string): boolean => {
  const digits = digitsOf(found).slice(-10)
  return (
    digits.length === 10 &&
    /^[2-9]\d\d[2-9]/.test(digits) &&
    digits.slice(4, 6) !== '11' &&
    !isOneDigit(digits)
  )
}
