import { onText, type Mutate } from './mutator.ts'

/** Cyrillic and Greek letters that look like Latin ones. */
export const LOOKALIKES: Readonly<Record<string, string>> = {
  a: 'а', c: 'с', e: 'е', i: 'і', j: 'ј', o: 'о', p: 'р', s: 'ѕ', x: 'х', y: 'у', A: 'А', B: 'В', C: 'С', E: 'Е',
  H: 'Н', I: 'І', K: 'К', M: 'М', O: 'О', P: 'Р', S: 'Ѕ', T: 'Т', X: 'Х', Y: 'Ү',
} // prettier-ignore

const between = (text: string, mark: string): string => Array.from(text).join(mark)

const shifted = (text: string, to: (code: number) => number | undefined): string =>
  Array.from(text)
    .map((letter) => {
      const code = to(letter.codePointAt(0) ?? 0)
      return code === undefined ? letter : String.fromCodePoint(code)
    })
    .join('')

const mathematical = (code: number): number | undefined =>
  code >= 65 && code <= 90 ? code - 65 + 0x1d400 : code >= 97 && code <= 122 ? code - 97 + 0x1d41a : undefined

const regional = (code: number): number | undefined =>
  code >= 65 && code <= 90 ? code - 65 + 0x1f130 : code >= 97 && code <= 122 ? code - 97 + 0x1f130 : undefined

/** Characters that people see as the same letters, or do not see at all. */
export const unicode: Readonly<Record<string, Mutate>> = {
  homoglyphs: onText((text) => text.replace(/[A-Za-z]/g, (letter) => LOOKALIKES[letter] ?? letter)),
  zero_width: onText((text) => between(text, '\u200b')),
  word_joiners: onText((text) => between(text, '\u2060')),
  soft_hyphens: onText((text) => between(text, '\u00ad')),
  variation_selectors: onText((text) => between(text, '\ufe0f')),
  combining_marks: onText((text) => text.replace(/[A-Za-z]/g, (letter) => `${letter}\u0332`)),
  fullwidth: onText((text) => shifted(text, (code) => (code > 32 && code < 127 ? code + 0xfee0 : undefined))),
  mathematical: onText((text) => shifted(text, mathematical)),
  squared: onText((text) => shifted(text, regional)),
  tag_characters: onText(
    (text) =>
      `Good morning!${shifted(text, (code) => (code >= 32 && code < 127 ? code + 0xe0000 : undefined))} When do you open?`,
  ),
  spaced_letters: onText((text) =>
    text
      .split(/\s+/)
      .map((word) => Array.from(word).join(' '))
      .join('   '),
  ),
  line_breaks: onText((text) => text.split(/\s+/).join('\n')),
}
