const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** A day of the Gregorian calendar; 29 February of any year passes. */
export const isDay = (month: number, day: number): boolean => day >= 1 && day <= (DAYS[month - 1] ?? 0)

/** Six digits as year, month and day, as national numbers begin. */
export const isYearMonthDay = (six: string): boolean =>
  isDay(Number(six.slice(2, 4)), Number(six.slice(4, 6)))

/** Six digits as day, month and year. */
export const isDayMonthYear = (six: string): boolean =>
  isDay(Number(six.slice(2, 4)), Number(six.slice(0, 2)))

const YEAR = /^(?:1[89]|20)\d\d$/

/** A date in numbers, in any order of day, month and year, with `-`, `/`, `.` or blanks between. */
export const isNumericDate = (found: string): boolean => {
  const [a = '', b = '', c = '', extra] = found.split(/[-/. ]+/)
  if (extra !== undefined) return false
  if (YEAR.test(a)) return isDay(Number(b), Number(c))
  if (!YEAR.test(c) && c.length !== 2) return false
  return isDay(Number(b), Number(a)) || isDay(Number(a), Number(b))
}
