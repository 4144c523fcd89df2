const WEIGHTS = [7, 3, 1]

const value = (character: string): number =>
  character === '<' ? 0 : /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 55

const checks = (field: string, digit: string): boolean =>
  Array.from(field).reduce((sum, character, i) => sum + value(character) * (WEIGHTS[i % 3] ?? 0), 0) % 10 ===
  value(digit)

/** Second line of a passport's machine-readable zone (ICAO 9303 part 4, TD3): number, birth and expiry each with a check digit. */
export const isPassportLine = (found: string): boolean =>
  found.length === 44 &&
  /^\d{7}$/.test(found.slice(13, 20)) &&
  checks(found.slice(0, 9), found.slice(9, 10)) &&
  checks(found.slice(13, 19), found.slice(19, 20)) &&
  checks(found.slice(21, 27), found.slice(27, 28))

/** First two lines of an identity card's zone are checked alike (ICAO 9303 part 5, TD1): birth and expiry of the second line. */
export const isCardLine = (found: string): boolean =>
  found.length === 30 &&
  checks(found.slice(0, 6), found.slice(6, 7)) &&
  checks(found.slice(8, 14), found.slice(14, 15))
