import type { Undo, Undone } from './cipher.ts'
import type { Cipher } from './gates.ts'

type Part = Undone['parts'][number]

const SAME: Part = { width: 1, length: 1, same: true }
const CHANGED: Part = { width: 1, length: 1, same: false }
const LEFT_OUT: Part = { width: 1, length: 0, same: false }

/** Each unit stands for one other. */
const byUnit = (code: string, reads: (unit: number) => number): Undo => ({
  code,
  push: (piece) => {
    const parts: Part[] = []
    let text = ''
    for (let at = 0; at < piece.length; at++) {
      const unit = piece.charCodeAt(at)
      const read = reads(unit)
      parts.push(read === unit ? SAME : CHANGED)
      text += String.fromCharCode(read)
    }
    return { text, parts }
  },
})

const isLetter = (unit: number): boolean => (unit | 32) >= 97 && (unit | 32) <= 122
const isWordUnit = (unit: number): boolean => isLetter(unit) || (unit >= 48 && unit <= 57)

const rot13 = (): Undo =>
  byUnit('decoded:rot13', (unit) => {
    if (!isLetter(unit)) return unit
    const first = unit < 97 ? 65 : 97
    return first + ((unit - first + 13) % 26)
  })

const LETTERS: Readonly<Record<string, string>> = {
  '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's', '!': 'i',
} // prettier-ignore

const leet = (): Undo =>
  byUnit('decoded:leet', (unit) => {
    if (isLetter(unit)) return unit
    return LETTERS[String.fromCharCode(unit)]?.charCodeAt(0) ?? unit
  })

/** A longer word is read as it stands. */
const LONGEST_WORD = 32

/** The letters of each word are written backwards, the words follow each other as ever. */
const wordsBackwards = (): Undo => {
  let word = ''
  const parts: Part[] = []
  const written = (): string => {
    const { length } = word
    for (let at = 0; at < length; at++) parts.push(SAME)
    if (length > 1 && length <= LONGEST_WORD) {
      parts.length -= length
      parts.push({ width: length, length, same: false })
      word = Array.from(word).reverse().join('')
    }
    const text = word
    word = ''
    return text
  }
  return {
    code: 'decoded:backwards',
    push: (piece, last) => {
      let text = ''
      for (const unit of piece.split('')) {
        if (isWordUnit(unit.charCodeAt(0)) && word.length <= LONGEST_WORD) word += unit
        else {
          text += written() + unit
          parts.push(SAME)
        }
      }
      if (last) text += written()
      return { text, parts: parts.splice(0) }
    },
  }
}

/** So much is turned round at once. */
const BLOCK = 4096

/** The whole text is written backwards: a finding covers all that was turned round with it. */
const allBackwards = (): Undo => {
  let block = ''
  return {
    code: 'decoded:backwards',
    push: (piece, last) => {
      block += piece
      if (!last && block.length < BLOCK) return { text: '', parts: [] }
      const text = Array.from(block).reverse().join('')
      block = ''
      return { text, parts: [{ width: text.length, length: text.length, same: false }] }
    },
  }
}

const NARROW = new Set(Array.from(' -._*/|,~+'))

/** Letters that stand alone, each with the same mark or one blank between: the marks are left out. */
const spaced = (): Undo => {
  // Two units that are known already, then those that are still to be looked at.
  let known = '  '
  let pending = ''
  const isOne = (text: string, at: number): boolean =>
    isWordUnit(text.charCodeAt(at)) &&
    !isWordUnit(text.charCodeAt(at - 1)) &&
    !isWordUnit(text.charCodeAt(at + 1))
  return {
    code: 'decoded:spaced',
    push: (piece, last) => {
      pending += last ? '  ' : piece
      const text = known + pending
      const to = text.length - 2
      const parts: Part[] = []
      let out = ''
      for (let at = 2; at < to; at++) {
        const mark = text.charAt(at)
        const between =
          NARROW.has(mark) &&
          (mark === text.charAt(at - 2) || mark === text.charAt(at + 2)) &&
          isOne(text, at - 1) &&
          isOne(text, at + 1)
        parts.push(between ? LEFT_OUT : SAME)
        if (!between) out += mark
      }
      if (to > 2) {
        known = text.slice(to - 2, to)
        pending = text.slice(to)
      }
      return { text: out, parts }
    },
  }
}

/** How each cipher may have to be undone. */
export const UNDOING: Readonly<Record<Cipher, readonly (() => Undo)[]>> = {
  rot13: [rot13],
  backwards: [wordsBackwards, allBackwards],
  leet: [leet],
  spaced: [spaced],
}
