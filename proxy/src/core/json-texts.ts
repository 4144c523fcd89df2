import type { Json } from './json.ts'
import { KEY_OF, type Channel, type Path, type Role, type Text } from './text.ts'

export interface TextKind {
  readonly role: Role
  readonly channel: Channel
}

/** Every string and every key of a JSON value as a text. `path` leads to the value. */
export const jsonTexts = (value: Json, path: Path, kind: TextKind): readonly Text[] => {
  const texts: Text[] = []
  const walk = (at: Json, here: Path): void => {
    if (typeof at === 'string') texts.push({ path: here, ...kind, value: at })
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
