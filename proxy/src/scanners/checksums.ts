/** Arithmetic of check digits. All take digits only, are linear in their count and never throw. */

const ZERO = 48

/** ISO/IEC 7812-1 annex B, "mod 10". */
export const luhn = (digits: string): boolean => {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - ZERO
    const doubled = digit * 2
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** Remainder of a decimal number of any length, without big integers. `modulus` up to 10^13. */
export const remainder = (digits: string, modulus: number): number => {
  let rest = 0
  for (let i = 0; i < digits.length; i++) rest = (rest * 10 + digits.charCodeAt(i) - ZERO) % modulus
  return rest
}

/** Sum of each digit times the weight at its place; digits beyond the weights do not count. */
export const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, i) => sum + weight * (digits.charCodeAt(i) - ZERO), 0)

/** ISO/IEC 7064 MOD 11,10: the last digit checks the ones before it. */
export const iso7064Mod11And10 = (digits: string): boolean => {
  let product = 10
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (product + digits.charCodeAt(i) - ZERO) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === digits.charCodeAt(digits.length - 1) - ZERO
}
