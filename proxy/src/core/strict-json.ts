import { isAscii, isUtf8 } from 'node:buffer'
import { pointer } from './text.ts'
import { Refusal } from './refusal.ts'
import type { Json } from './json.ts'

export interface JsonLimits {
  /** Arrays and objects inside each other; at most 1000, because checking recurses. */
  readonly depth: number
  /** Values in the document, counted from above: containers, elements and members. */
  readonly nodes: number
  /** Members of all objects together. */
  readonly keys: number
  /** Takes numbers that would be another one when written again: for documents that are read and never passed on. */
  readonly inexactNumbers?: boolean
}

/** Longer than any number that two programs exchange; bounds the work for one. */
const MAX_NUMBER_LENGTH = 512

/** Numbers this short and without an exponent are exact as a double and print as they were read. */
const SURELY_EXACT = 15

/**
 * Reads one JSON document (RFC 8259) that every other parser would read in the same way: valid UTF-8 without a byte
 * order mark, no key twice in one object even if written in another case, no `__proto__`, no half of a surrogate pair,
 * no number that would become another one when written again. Linear in the length of the bytes.
 * Throws Refusal `body_invalid` with a byte offset or a JSON pointer and what is wrong.
 */
export const readJson = (bytes: Uint8Array, limits: JsonLimits): Json => {
  if (!isUtf8(bytes)) return refuse('the body is not valid UTF-8')
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return refuse('byte 0: a byte order mark is not allowed')
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return readJsonText(buffer.toString(isAscii(bytes) ? 'latin1' : 'utf8'), limits)
}

/** As `readJson`, for a text that is already decoded. */
export const readJsonText = (text: string, limits: JsonLimits): Json => {
  const keys = survey(text, limits)
  const value = parse(text)
  const check: Check = { path: [], escapes: text.includes('\\u'), keys: 0 }
  checkValue(value, check)
  // A parser keeps one of several equal keys, so fewer members than colons means that some key came twice.
  if (check.keys !== keys)
    return refuse(`byte ${String(secondKeyAt(text))}: the same key twice in one object`)
  return value
}

/**
 * Keys that some parser could take for each other have the same folded form: letter case is ignored as Unicode does it,
 * K (Kelvin) and ſ (long s) included, which case-blind parsers such as Go's also match.
 */
export const foldKey = (key: string): string =>
  isFolded(key) ? key : key.toLowerCase().toUpperCase().toLowerCase()

const refuse = (why: string): never => {
  throw new Refusal('body_invalid', { details: [why] })
}

const offset = (text: string, index: number): string =>
  `byte ${String(Buffer.byteLength(text.slice(0, index)))}`

const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    // The message quotes the body, so only the place may leave this function.
    const place = /at position (\d+)(?: \(line \d+ column \d+\))?$/.exec((error as Error).message)?.[1]
    const where = place === undefined ? '' : `${offset(text, Number(place))}: `
    return refuse(`${where}not valid JSON (RFC 8259)`)
  }
}

/** One pass over what is not inside strings, before anything is built. Returns the number of colons. */
const survey = (text: string, limits: JsonLimits): number => {
  let depth = 0
  let nodes = 1
  let keys = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at)
        break
      case 0x3a: // :
        keys++
        break
      case 0x2c: // ,
        nodes++
        break
      case 0x7b: // {
      case 0x5b: // [
        nodes++
        if (++depth > limits.depth) {
          return refuse(`${offset(text, at)}: nested deeper than ${String(limits.depth)}`)
        }
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
        break
      default:
        at = endOfNumber(text, at, limits.inexactNumbers === true)
    }
  }
  if (nodes > limits.nodes) return refuse(`more than ${String(limits.nodes)} values`)
  if (keys > limits.keys) return refuse(`more than ${String(limits.keys)} keys`)
  return keys
}

/** Index of the closing quote, or the length of the text when there is none. */
const endOfString = (text: string, open: number): number => {
  for (let end = text.indexOf('"', open + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let first = end
    while (text.charCodeAt(first - 1) === 0x5c) first--
    if ((end - first) % 2 === 0) return end
  }
  return text.length
}

/** Index of the last character of the number that begins at `start`, or `start` when none does. */
const endOfNumber = (text: string, start: number, inexact: boolean): number => {
  if (!startsNumber(text.charCodeAt(start))) return start
  let end = start + 1
  let exponent = false
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x65 || code === 0x45) exponent = true
    else if (!(code >= 0x30 && code <= 0x39) && code !== 0x2e && code !== 0x2b && code !== 0x2d) break
  }
  if (!inexact && (exponent || end - start > SURELY_EXACT)) checkNumber(text, start, end)
  return end - 1
}

const startsNumber = (code: number): boolean => (code >= 0x30 && code <= 0x39) || code === 0x2d

const checkNumber = (text: string, start: number, end: number): void => {
  if (end - start > MAX_NUMBER_LENGTH) refuse(`${offset(text, start)}: a number that long is not allowed`)
  const written = text.slice(start, end)
  const value = Number(written)
  if (Number.isNaN(value)) return // not a number at all, which the parser will say
  const mantissa = written.split(/[eE]/, 1)[0] ?? ''
  const exact =
    Number.isFinite(value) &&
    (value !== 0 || !/[1-9]/.test(mantissa)) &&
    (!/^-?\d+$/.test(written) || Number.isSafeInteger(value) || String(value) === written)
  if (!exact) refuse(`${offset(text, start)}: this number cannot be passed on unchanged`)
}

interface Check {
  readonly path: (string | number)[]
  readonly escapes: boolean
  keys: number
}

const fail = (check: Check, why: string): never => refuse(`${shown(check.path)}: ${why}`)

/** Keys that are not plain words are text of the caller, which does not belong in an error. */
const shown = (path: readonly (string | number)[]): string =>
  pointer(
    path.slice(0, 32).map((step) => (typeof step === 'number' || /^[\w.$-]{1,64}$/.test(step) ? step : '?')),
  ) || '/'

const checkValue = (value: Json, check: Check): void => {
  if (typeof value === 'string') {
    if (check.escapes && !value.isWellFormed()) fail(check, 'half of a surrogate pair')
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      check.path.push(index)
      checkValue(value[index] as Json, check)
      check.path.pop()
    }
    return
  }
  const keys = Object.keys(value)
  check.keys += keys.length
  checkKeys(keys, check)
  for (const key of keys) {
    check.path.push(key)
    checkValue((value as Record<string, Json>)[key] as Json, check)
    check.path.pop()
  }
}

const checkKeys = (keys: readonly string[], check: Check): void => {
  let folded = true
  for (const key of keys) {
    if (key === '__proto__') fail(check, 'the key __proto__ is not allowed')
    if (check.escapes && !key.isWellFormed()) fail(check, 'half of a surrogate pair in a key')
    folded &&= isFolded(key)
  }
  if (folded) return // all different and all in folded form
  if (new Set(keys.map(foldKey)).size !== keys.length) fail(check, 'two keys differ in letter case only')
}

/** True when no character is an upper-case ASCII letter or beyond ASCII. */
const isFolded = (key: string): boolean => {
  for (let index = 0; index < key.length; index++) {
    const code = key.charCodeAt(index)
    if (code > 0x7f || (code >= 0x41 && code <= 0x5a)) return false
  }
  return true
}

/** Byte offset of the first key that its object already had. Only for texts that are known to hold one. */
const secondKeyAt = (text: string): number => {
  const open: Set<string>[] = []
  let start = 0
  let end = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') open.push(new Set())
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      start = at
      end = at = endOfString(text, at)
    } else if (character === ':') {
      const key = JSON.parse(text.slice(start, end + 1)) as string
      if (open.at(-1)?.has(key)) break
      open.at(-1)?.add(key)
    }
  }
  return Buffer.byteLength(text.slice(0, start))
}
