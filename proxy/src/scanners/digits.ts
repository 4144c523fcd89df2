/** The decimal digits of a finding, separators left out. */
export const digitsOf = (found: string): string => found.replace(/\D/g, '')

/** Letters and digits of a finding, upper case, separators left out. */
export const alphanumericsOf = (found: string): string => found.replace(/[^A-Za-z0-9]/g, '').toUpperCase()

/** One digit repeated passes many checksums and identifies nobody. */
export const isOneDigit = (digits: string): boolean => /^(\d)\1*$/.test(digits)
