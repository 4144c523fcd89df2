import type { Finding } from '../core/finding.ts'
import { closeList, listCleared, listCode, type Listed, readList, startList } from './listed.ts'
import { morseOf } from './morse.ts'
import type { DecodingReader, Reader } from './reader.ts'

export interface ListReaderOptions {
  /** Offset where the text begins. */
  readonly offset: number
  readonly openDecoded: () => Reader
}

/**
 * What a character can be in a list: nothing, what parts two numbers, a digit, a dot or dash, or a letter of `0x41`, `U+0041`, `0o101`,
 * `41h` and `chr(65)` that is no digit.
 */
const OUTSIDE = 0
const PARTING = 1
const DIGIT = 2
const SIGN = 3
const MARK = 4

const KINDS = new Uint8Array(128)
for (const char of ' \t\n\r,;:/|\\"\'`()[]{}<>+&=_') KINDS[char.charCodeAt(0)] = PARTING
for (const char of '0123456789abcdefABCDEF') KINDS[char.charCodeAt(0)] = DIGIT
for (const char of '.-') KINDS[char.charCodeAt(0)] = SIGN
for (const char of 'xXuUoOhHrR') KINDS[char.charCodeAt(0)] = MARK

const kindAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at)
  return unit < 128 ? (KINDS[unit] as number) : OUTSIDE
}

/** Shorter lists write nothing that matters. */
const SHORTEST = 24
/** No finding covers the first characters of a list, which write its first four characters at least. */
const SHOWN = 7
/** Longer tokens are no number and no sign; bits are counted instead. */
const LONGEST_TOKEN = 8

interface Lists {
  readonly binary: Listed
  readonly octal: Listed
  readonly decimal: Listed
  readonly hex: Listed
  readonly morse: Listed
}

interface State {
  readonly openDecoded: () => Reader
  /** Made when the first list comes that is long enough: most texts have none. */
  lists: Lists | undefined
  all: readonly Listed[]
  /** Offset of the end of the text so far. */
  at: number
  /** The beginning of a list, until it is long enough; undefined outside and in longer ones. */
  begin: string | undefined
  within: boolean
  token: string
  /** Bits of a token of zeros and ones, and how many; -1 when it is no such token. */
  bits: number
  count: number
  /** Within the name of a call, which is no number. */
  named: boolean
  sign: string
  /** Blanks and whatever else parts two words stand before the next sign. */
  gap: number
}

/** Reads what lists of binary, octal, decimal and hexadecimal character codes, and of Morse signs, stand for. */
export const listReader = ({ offset, openDecoded }: ListReaderOptions): DecodingReader => {
  const state: State = {
    openDecoded,
    lists: undefined,
    all: NONE,
    at: offset,
    begin: undefined,
    within: false,
    token: '',
    bits: 0,
    count: 0,
    named: false,
    sign: '',
    gap: 0,
  }
  return {
    push: (piece) => push(state, piece),
    end: () => finish(state),
    cleared: () => cleared(state),
    isIdle: () => !state.within || state.begin !== undefined,
    take: () => takeAll(state),
  }
}

const NONE: readonly Listed[] = []

const listsOf = (state: State): Lists => {
  if (state.lists !== undefined) return state.lists
  const { openDecoded } = state
  const lists = {
    binary: startList('decoded:binary', openDecoded),
    octal: startList('decoded:octal', openDecoded),
    decimal: startList('decoded:decimal', openDecoded),
    hex: startList('decoded:hex', openDecoded),
    morse: startList('decoded:morse', openDecoded),
  }
  state.all = Object.values(lists)
  return (state.lists = lists)
}

const push = (state: State, piece: string): void => {
  let from = 0
  if (state.within) from = goOn(state, piece, 0)
  // A list has one of its characters at every place, so looking at the last one first skips most of the text.
  while (from + SHORTEST <= piece.length) {
    const first = beginOfList(piece, from, from + SHORTEST)
    from = first > from ? first : goOn(state, piece, from)
  }
  if (!state.within && from < piece.length) {
    const first = beginOfList(piece, from, piece.length)
    if (first < piece.length) {
      state.within = true
      state.begin = piece.slice(first)
    }
  }
  for (const list of state.all) readList(list)
  state.at += piece.length
}

/** The list, or the beginning of one, that a text ends with. */
export const listBefore = (text: string): string => text.slice(beginOfList(text, 0, text.length))

const beginOfList = (piece: string, from: number, to: number): number => {
  let first = to
  while (first > from && kindAt(piece, first - 1) !== OUTSIDE) first--
  return first
}

/** Begins a list, or goes on with it; finishes it when it ends in the piece. The place behind. */
const goOn = (state: State, piece: string, from: number): number => {
  let to = from
  while (to < piece.length && kindAt(piece, to) !== OUTSIDE) to++
  if (!state.within) {
    state.within = true
    state.begin = ''
  }
  if (state.begin === undefined) readTokens(state, piece.slice(from, to), state.at + from)
  else {
    const known = state.begin.length
    state.begin += piece.slice(from, to)
    if (state.begin.length >= SHORTEST) {
      const { begin } = state
      state.begin = undefined
      readTokens(state, begin, state.at + from - known)
    }
  }
  if (to < piece.length) {
    finishAt(state, state.at + to)
    return to + 1
  }
  return to
}

const readTokens = (state: State, text: string, offset: number): void => {
  const lists = listsOf(state)
  for (let at = 0; at < text.length; at++) {
    const kind = KINDS[text.charCodeAt(at)]
    if (kind === DIGIT) digit(state, lists, { unit: text.charCodeAt(at), at: offset + at })
    else if (kind === MARK) mark(state, lists, { unit: text.charCodeAt(at), at: offset + at })
    else {
      state.named = false
      if (state.token !== '') endNumber(state, lists, offset + at)
      if (kind === SIGN)
        state.sign = state.sign.length > LONGEST_TOKEN ? state.sign : state.sign + text.charAt(at)
      else {
        if (state.sign !== '') endSign(state, lists, offset + at)
        if (!isEmpty(lists.morse)) parting(state, text.charCodeAt(at))
      }
    }
  }
}

interface Character {
  readonly unit: number
  readonly at: number
}

const digit = (state: State, lists: Lists, { unit, at }: Character): void => {
  if (state.named) return
  if (state.sign !== '' || state.gap > 0) {
    state.sign = ''
    state.gap = 0
    closeList(lists.morse)
  }
  if ((unit | 32) === SMALL_B && state.token === '0') {
    restartNumber(state)
    return
  }
  if (state.token.length <= LONGEST_TOKEN) state.token += String.fromCharCode(unit)
  if (state.count < 0) return
  if (unit !== 48 && unit !== 49) {
    state.count = -1
    return
  }
  state.bits = (state.bits << 1) | (unit - 48)
  if (++state.count < 8) return
  listCode(lists.binary, state.bits, at + 1)
  state.bits = state.count = 0
}

const SMALL_B = 98
const SMALL_H = 104
const SMALL_U = 117

const restartNumber = (state: State): void => {
  state.token = ''
  state.bits = state.count = 0
}

/** `0x69`, `69h`, `U+0069`, `chr(105)`: what stands around the digits says only how they are meant. Escapes such as `\u0069` are read elsewhere. */
const mark = (state: State, lists: Lists, { unit, at }: Character): void => {
  if (state.named) return
  if (state.sign !== '') endSign(state, lists, at)
  const { token } = state
  const letter = unit | 32
  if (letter === SMALL_H && token !== '' && token !== 'c' && token !== 'C') {
    endNumber(state, lists, at)
    return
  }
  state.named = letter === SMALL_U || (letter === SMALL_H && token !== '')
  if (!state.named && token !== '' && token !== '0') for (const list of state.all) closeList(list)
  restartNumber(state)
}

const endNumber = (state: State, lists: Lists, end: number): void => {
  const { token, count, bits } = state
  const half = count === 4 && token.length === 4
  // Of a byte of seven bits the first, which is zero, was left out.
  if (count === 7 && token.length === 7) listCode(lists.binary, bits, end)
  else if (count !== 0 && !half) closeList(lists.binary)
  listCode(lists.decimal, valueOf(token, 10), end)
  listCode(lists.octal, token.length >= 2 ? valueOf(token, 8) : -1, end)
  listBytes(lists.hex, token, end)
  state.token = ''
  if (!half) state.bits = state.count = 0
}

/** One byte, a character of UTF-16 that is one, or a group of bytes as hex dumps write them. */
const listBytes = (list: Listed, token: string, end: number): void => {
  if (token.length % 2 !== 0 || token.length > LONGEST_TOKEN) listCode(list, -1, end)
  else {
    for (let at = token.length === 4 && token.startsWith('00') ? 2 : 0; at < token.length; at += 2)
      listCode(list, valueOf(token.slice(at, at + 2), 16), end - token.length + at + 2)
  }
}

/** The number that at most three digits write; -1 for others. */
const valueOf = (token: string, base: 8 | 10 | 16): number => {
  if (token.length > 3) return -1
  let value = 0
  for (let at = 0; at < token.length; at++) {
    const unit = token.charCodeAt(at)
    const digitValue = unit <= 57 ? unit - 48 : (unit | 32) - 87
    if (digitValue >= base) return -1
    value = value * base + digitValue
  }
  return value
}

const endSign = (state: State, lists: Lists, end: number): void => {
  const { sign } = state
  if (state.gap > 1) listCode(lists.morse, 32, end - sign.length)
  listCode(lists.morse, morseOf(sign), end)
  state.sign = ''
  state.gap = 0
}

/** One blank parts letters; more than one, a line or a stroke part words. */
const parting = (state: State, unit: number): void => {
  state.gap = Math.min(9, state.gap + (unit === 32 ? 1 : 2))
}

const isEmpty = ({ codes, decoded }: Listed): boolean => codes.length === 0 && decoded === undefined

const finishAt = (state: State, end: number): void => {
  if (state.begin === undefined) {
    const lists = listsOf(state)
    if (state.token !== '') endNumber(state, lists, end)
    if (state.sign !== '') endSign(state, lists, end)
    for (const list of state.all) closeList(list)
    state.sign = state.token = ''
    state.bits = state.count = state.gap = 0
    state.named = false
  }
  state.within = false
  state.begin = undefined
}

const finish = (state: State): void => {
  if (state.within) finishAt(state, state.at)
}

const cleared = (state: State): number => {
  const { begin, at } = state
  if (!state.within) return at
  if (begin !== undefined) return /[0-9.-]/.test(begin) ? at - Math.max(0, begin.length - SHOWN) : at
  return state.all.reduce((first, list) => Math.min(first, listCleared(list)), at)
}

const NOTHING: readonly Finding[] = []

const takeAll = (state: State): readonly Finding[] => {
  if (state.all.length === 0) return NOTHING
  const found: Finding[] = []
  for (const list of state.all) {
    if (list.found.length === 0) continue
    found.push(...list.found)
    list.found = []
  }
  return found
}
