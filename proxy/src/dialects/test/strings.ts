import { nestedJson } from '../../core/edit.ts'
import type { Json } from '../../core/json.ts'
import { isObject } from '../../core/json.ts'
import type { Path } from '../../core/text.ts'
import { IN_JSON, KEY_OF, pointer } from '../../core/text.ts'

export interface Place {
  readonly path: Path
  readonly value: string
}

/** Every string and every key of a body, with its path; strings that hold JSON are looked into unless `whole` has them. */
export const strings = (value: Json, whole: ReadonlySet<string> = new Set(), path: Path = []): Place[] => {
  if (typeof value === 'string') {
    const inner = whole.has(pointer(path)) ? undefined : nestedJson(value)
    return inner !== null && typeof inner === 'object'
      ? strings(inner, whole, [...path, IN_JSON])
      : [{ path, value }]
  }
  if (Array.isArray(value)) {
    return value.flatMap((entry: Json, index) => strings(entry, whole, [...path, index]))
  }
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, member]) => [
    { path: [...path, key, KEY_OF], value: key },
    ...strings(member, whole, [...path, key]),
  ])
}
