import { isObject } from '../core/json.ts'
import type { Json, JsonObject } from '../core/json.ts'

const MAX_DEPTH = 16

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * One JSON object from UTF-8 bytes, read in the only way that every parser agrees on: no byte order mark, no broken
 * UTF-8, no member name twice, no `__proto__`, at most 16 levels. Throws SyntaxError that quotes no input.
 */
export const parseObject = (bytes: Uint8Array): JsonObject => {
  const text = decode(bytes)
  const value = parse(text)
  if (!isObject(value)) throw new SyntaxError('not a JSON object')
  refuseDoubledNames(text)
  return value
}

const decode = (bytes: Uint8Array): string => {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new SyntaxError('broken UTF-8')
  }
}

// V8's own message quotes the input.
const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new SyntaxError('malformed JSON')
  }
}

/** `text` is known to be JSON, so only strings and brackets need to be told apart. */
const refuseDoubledNames = (text: string): void => {
  const open: (Set<string> | undefined)[] = []
  let nameNext = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      const end = endOfString(text, at)
      if (nameNext) addName(open.at(-1), text.slice(at, end))
      at = end - 1
    } else if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined)
      if (open.length > MAX_DEPTH) throw new SyntaxError('JSON too deep')
      nameNext = char === '{'
    } else if (char === '}' || char === ']') open.pop()
    else if (char === ':') nameNext = false
    else if (char === ',') nameNext = open.at(-1) !== undefined
  }
}

const endOfString = (text: string, start: number): number => {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const addName = (names: Set<string> | undefined, quoted: string): void => {
  const name = JSON.parse(quoted) as string
  if (name === '__proto__' || names?.has(name) === true) throw new SyntaxError('JSON member name twice')
  names?.add(name)
}
