import { luhn, remainder, weighted } from './checksums.ts'
import { isYearMonthDay } from './dates.ts'
import { alphanumericsOf, digitsOf, isOneDigit } from './digits.ts'

/** Numbers that the Social Security Administration used in print and never issues. */
const printed = new Set(['078051120', '219099999', '457555462', '123456789', '987654321'])

/** Separators are all the same or all absent. */
const evenlySeparated = (found: string): boolean => new Set(found.replace(/\d/g, '')).size <= 1

const itinGroup = (group: number): boolean =>
  (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 92) || group >= 94

const cpfCheck = (digits: string, count: number): number => {
  const weights = Array.from({ length: count }, (_, i) => count + 1 - i)
  return ((weighted(digits, weights) * 10) % 11) % 10
}

const cnpjCheck = (text: string): number => {
  let sum = 0
  for (let i = 0; i < text.length; i++) sum += (text.charCodeAt(i) - 48) * (2 + ((text.length - 1 - i) % 8))
  const rest = sum % 11
  return rest < 2 ? 0 : 11 - rest
}

const CURP = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'

/** National numbers of the Americas: each takes the characters found and never throws. */
export const american = {
  /** Area not 000, 666 or 900 and above, group not 00, serial not 0000 (SSA, since 2011). */
  ssn: (found: string): boolean => {
    const digits = digitsOf(found)
    const area = Number(digits.slice(0, 3))
    return (
      digits.length === 9 &&
      evenlySeparated(found) &&
      ![0, 666].includes(area) &&
      area < 900 &&
      digits.slice(3, 5) !== '00' &&
      digits.slice(5) !== '0000' &&
      !printed.has(digits) &&
      !isOneDigit(digits)
    )
  },
  /** IRS: begins with 9, group 50-65, 70-88, 90-92 or 94-99. */
  itin: (found: string): boolean => {
    const digits = digitsOf(found)
    return (
      digits.length === 9 &&
      digits.startsWith('9') &&
      evenlySeparated(found) &&
      itinGroup(Number(digits.slice(3, 5)))
    )
  },
  /** Canada: Luhn; 0 and 8 are not issued first. */
  sin: (found: string): boolean => {
    const digits = digitsOf(found)
    return (
      digits.length === 9 &&
      !/^[08]/.test(digits) &&
      evenlySeparated(found) &&
      luhn(digits) &&
      !isOneDigit(digits)
    )
  },
  /** Brazil, persons: two check digits modulo 11. */
  cpf: (found: string): boolean => {
    const digits = digitsOf(found)
    return (
      digits.length === 11 &&
      [0, 3].includes(found.length - 11) &&
      !isOneDigit(digits) &&
      cpfCheck(digits, 9) === Number(digits[9]) &&
      cpfCheck(digits, 10) === Number(digits[10])
    )
  },
  /** Brazil, companies: two check digits modulo 11; letters since July 2026 count as their code minus 48. */
  cnpj: (found: string): boolean => {
    const text = alphanumericsOf(found)
    return (
      /^.{2}\..{3}\..{3}\/.{4}-..$/.test(found) &&
      text.length === 14 &&
      !isOneDigit(text) &&
      cnpjCheck(text.slice(0, 12)) === Number(text[12]) &&
      cnpjCheck(text.slice(0, 13)) === Number(text[13])
    )
  },
  /** Mexico: date of birth and a check digit modulo 10. */
  curp: (found: string): boolean => {
    if (found.length !== 18) return false
    let sum = 0
    for (let i = 0; i < 17; i++) sum += CURP.indexOf(found[i] ?? '') * (18 - i)
    return isYearMonthDay(found.slice(4, 10)) && (10 - (sum % 10)) % 10 === Number(found[17])
  },
  /** Chile: modulo 11 with K for ten. */
  rut: (found: string): boolean => {
    const text = alphanumericsOf(found)
    const body = text.slice(0, -1)
    let sum = 0
    for (let i = 0; i < body.length; i++) sum += Number(body[body.length - 1 - i]) * (2 + (i % 6))
    return '0K987654321'[sum % 11] === text.at(-1) && !isOneDigit(body)
  },
  /** Argentina, CUIL and CUIT: person or company prefix, modulo 11. */
  cuit: (found: string): boolean => {
    const digits = digitsOf(found)
    const sum = weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
    return (
      /^(?:2[03478]|3[034])/.test(digits) && (11 - remainder(String(sum), 11)) % 11 === Number(digits[10])
    )
  },
}
