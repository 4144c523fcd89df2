import { luhn, remainder, weighted } from './checksums.ts'
import { alphanumericsOf, digitsOf } from './digits.ts'

type Issuer = { readonly from: number; readonly to: number; readonly lengths: readonly number[] }

/** Issuer identification number ranges on the first six digits (ISO/IEC 7812 registry, as the networks publish them). */
const issuers: readonly Issuer[] = [
  { from: 400000, to: 499999, lengths: [13, 16, 19] }, // Visa
  { from: 510000, to: 559999, lengths: [16] }, // Mastercard
  { from: 222100, to: 272099, lengths: [16] }, // Mastercard
  { from: 340000, to: 349999, lengths: [15] }, // American Express
  { from: 370000, to: 379999, lengths: [15] }, // American Express
  { from: 300000, to: 305999, lengths: [14, 16] }, // Diners Club
  { from: 309500, to: 309599, lengths: [14, 16] }, // Diners Club
  { from: 360000, to: 369999, lengths: [14, 16, 19] }, // Diners Club
  { from: 380000, to: 399999, lengths: [14, 16, 19] }, // Diners Club
  { from: 350000, to: 359999, lengths: [16, 17, 18, 19] }, // JCB
  { from: 213100, to: 213199, lengths: [15] }, // JCB
  { from: 180000, to: 180099, lengths: [15] }, // JCB
  { from: 601100, to: 601199, lengths: [16, 19] }, // Discover
  { from: 644000, to: 659999, lengths: [16, 19] }, // Discover
  { from: 620000, to: 629999, lengths: [16, 17, 18, 19] }, // UnionPay
  { from: 810000, to: 817199, lengths: [16, 17, 18, 19] }, // UnionPay
  { from: 220000, to: 220499, lengths: [16, 17, 18, 19] }, // Mir
  { from: 500000, to: 509999, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro, Elo, Verve
  { from: 560000, to: 589999, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro
  { from: 600000, to: 609999, lengths: [16] }, // RuPay, Hipercard
  { from: 630000, to: 639999, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro
  { from: 670000, to: 679999, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro
]

/** A payment card number: a known issuer range, its lengths, and Luhn. */
export const isPaymentCard = (found: string): boolean => {
  const digits = digitsOf(found)
  const issuer = Number(digits.slice(0, 6))
  return (
    issuers.some(
      ({ from, to, lengths }) => issuer >= from && issuer <= to && lengths.includes(digits.length),
    ) && luhn(digits)
  )
}

/** Total length per country, from the SWIFT IBAN registry, release 99. */
const ibanLengths: Readonly<Record<string, number>> = {
  ...{ AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BI: 27, BR: 29, BY: 28 },
  ...{ CH: 21, CR: 22, CY: 28, CZ: 24, DE: 22, DJ: 27, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18 },
  ...{ FK: 18, FO: 18, FR: 27, GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HN: 28, HR: 21, HU: 28 },
  ...{ IE: 22, IL: 23, IQ: 23, IS: 26, IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20 },
  ...{ LU: 20, LV: 21, LY: 25, MC: 27, MD: 24, ME: 22, MK: 19, MN: 20, MR: 27, MT: 31, MU: 30, NI: 28 },
  ...{ NL: 18, NO: 15, OM: 23, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29, RO: 24, RS: 22, RU: 33, SA: 24 },
  ...{ SC: 31, SD: 18, SE: 24, SI: 19, SK: 24, SM: 27, SO: 23, ST: 25, SV: 28, TL: 23, TN: 24, TR: 26 },
  ...{ UA: 29, VA: 22, VG: 24, XK: 20, YE: 30 },
}

/** ISO 13616: the country's length, and 1 modulo 97 with letters as 10 to 35. */
export const isIban = (found: string): boolean => {
  const text = alphanumericsOf(found)
  if (ibanLengths[text.slice(0, 2)] !== text.length) return false
  const turned = text.slice(4) + text.slice(0, 4)
  return (
    remainder(
      turned.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55)),
      97,
    ) === 1
  )
}

/** American Bankers Association: Federal Reserve prefix and the 3-7-1 checksum. */
export const isRoutingNumber = (found: string): boolean => {
  const digits = digitsOf(found)
  const district = Number(digits.slice(0, 2))
  const known =
    (district >= 1 && district <= 12) ||
    (district >= 21 && district <= 32) ||
    (district >= 61 && district <= 72) ||
    district === 80
  return digits.length === 9 && known && weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
}
