import { isObject, type Json } from './json.ts'
import { KEY_OF, type Channel, type Path, type Role, type Text } from './text.ts'

export interface TextKind {
  readonly role: Role
  readonly channel: Channel
}

/** Shorter numbers than those of cards, accounts and people say nothing. */
const LONG = 1e7

/** What a number says when it is read as text; undefined for a short one. */
export const numberText = (value: number): string | undefined =>
  Math.abs(value) >= LONG ? String(value) : undefined

/** Every string, every key and every long number of a JSON value as a text. `path` leads to the value. */
export const jsonTexts = (value: Json, path: Path, kind: TextKind): readonly Text[] => {
  const texts: Text[] = []
  const walk = (at: Json, here: Path): void => {
    const text = typeof at === 'number' ? numberText(at) : at
    if (typeof text === 'string') texts.push({ path: here, ...kind, value: text })
    else if (Array.isArray(at)) (at as readonly Json[]).forEach((item, i) => walk(item, [...here, i]))
    else if (typeof at === 'object' && at !== null) {
      for (const [key, item] of Object.entries(at)) {
        texts.push({ path: [...here, key, KEY_OF], ...kind, value: key })
        walk(item, [...here, key])
      }
    }
  }
  walk(value, path)
  return texts
}

/** Top-level names of the JSON object in a text, sorted: also when only some parsers read it, since a client may be one of them. */
export const memberNames = (text: string): readonly string[] => {
  try {
    const value = JSON.parse(text) as Json
    return isObject(value) ? Object.keys(value).sort() : []
  } catch {
    return []
  }
}
