/** International Morse code, ITU-R M.1677-1: letters and digits, and the marks that sentences need. */
const SIGNS =
  'a.- b-... c-.-. d-.. e. f..-. g--. h.... i.. j.--- k-.- l.-.. m-- n-. o--- p.--. q--.- r.-. s... t- u..- v...- w.-- x-..- y-.-- z--.. 0----- 1.---- 2..--- 3...-- 4....- 5..... 6-.... 7--... 8---.. 9----. ,--..-- ?..--.. :---... @.--.-. _..--.- /-..-.'

const MORSE: ReadonlyMap<string, number> = new Map([
  ...SIGNS.split(' ').map((sign) => [sign.slice(1), sign.charCodeAt(0)] as const),
  ['.-.-.-', 46],
  ['-....-', 45],
  ['.----.', 39],
])

/** The code of the character that a sign of dots and dashes stands for; -1 when there is none. */
export const morseOf = (sign: string): number => MORSE.get(sign) ?? -1
