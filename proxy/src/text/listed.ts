import type { Finding } from '../core/finding.ts'
import { type OffsetMap, offsetMap } from './offset-map.ts'
import { type Reader, translated } from './reader.ts'

/** How characters are listed, one number or sign for each. */
export type ListCode =
  'decoded:binary' | 'decoded:octal' | 'decoded:decimal' | 'decoded:hex' | 'decoded:morse'

/** A list of character codes, as far as it has come. */
export interface Listed {
  readonly code: ListCode
  readonly openDecoded: () => Reader
  /** Codes of the last characters before a text is seen in them, and the source offsets where each ends. */
  codes: number[]
  ends: number[]
  decoded: { readonly reader: Reader; readonly map: OffsetMap; end: number } | undefined
  /** Decoded, but not read yet. */
  pending: string
  found: Finding[]
}

export const startList = (code: ListCode, openDecoded: () => Reader): Listed => ({
  code,
  openDecoded,
  codes: [],
  ends: [],
  decoded: undefined,
  pending: '',
  found: [],
})

/** So many characters are looked at before a list is taken for text, and so many of them must be those of words. */
const SEEN = 8
const OF_WORDS = 6
/** The first ones, which no finding covers, so that a few numbers in prose are not held back. */
const SHOWN = 4

/** Takes the next character of a list, whose number ends at an offset. A code that is no character ends the text. */
export const listCode = (list: Listed, code: number, end: number): void => {
  if (!isCharacter(code)) closeList(list)
  else if (list.decoded === undefined) see(list, code, end)
  else write(list, code, end)
}

const see = (list: Listed, code: number, end: number): void => {
  list.codes.push(code)
  list.ends.push(end)
  if (list.codes.length < SEEN) return
  if (list.codes.filter(isOfWords).length < OF_WORDS) {
    list.codes.shift()
    list.ends.shift()
    return
  }
  const begin = list.ends[SHOWN - 1] as number
  list.decoded = { reader: list.openDecoded(), map: offsetMap(0, begin), end: begin }
  list.codes.forEach((known, at) => write(list, known, Math.max(begin, list.ends[at] as number)))
  list.codes = []
  list.ends = []
}

const write = (list: Listed, code: number, end: number): void => {
  const { decoded } = list
  if (decoded === undefined) return
  decoded.map.decoded({ length: 1, width: end - decoded.end, code: list.code, hides: false })
  decoded.end = end
  list.pending += code > 127 ? '\ufffd' : String.fromCharCode(code)
}

/** Reads what has been decoded. */
export const readList = (list: Listed): void => {
  const { decoded, pending } = list
  if (decoded === undefined || pending === '') return
  list.pending = ''
  decoded.reader.push(pending)
  collect(list)
}

export const closeList = (list: Listed): void => {
  if (list.codes.length > 0) {
    list.codes = []
    list.ends = []
  }
  if (list.decoded === undefined) return
  readList(list)
  list.decoded.reader.end()
  collect(list)
  list.decoded = undefined
}

/** Where a finding may still begin; Infinity when nothing is under way. */
export const listCleared = ({ decoded, ends }: Listed): number =>
  decoded === undefined ? (ends[SHOWN - 1] ?? Infinity) : decoded.map.start(decoded.reader.cleared())

const collect = ({ decoded, found, code }: Listed): void => {
  if (decoded === undefined) return
  for (const finding of decoded.reader.take()) found.push(translated(finding, decoded.map, code))
}

/** Bytes of other scripts are no text here, but do not end one. */
const isCharacter = (code: number): boolean =>
  (code >= 32 && code <= 255 && code !== 127) || code === 9 || code === 10 || code === 13

const isOfWords = (code: number): boolean =>
  code === 32 || (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122)
