import { isDeepStrictEqual } from 'node:util'

export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/**
 * The RFC 6902 patch that turns one JSON value into another; empty when they are equal. Keys in alphabetical order; in a list,
 * what both ends have in common stays, so that an inserted element is one `add`.
 */
export const jsonPatch = (before: unknown, after: unknown): readonly PatchOperation[] =>
  differences('', before, after)

const differences = (path: string, before: unknown, after: unknown): readonly PatchOperation[] => {
  if (isDeepStrictEqual(before, after)) return []
  if (Array.isArray(before) && Array.isArray(after)) return inList(path, before, after)
  if (isMap(before) && isMap(after)) return inMap(path, before, after)
  return [{ op: 'replace', path, value: after }]
}

const inMap = (
  path: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly PatchOperation[] =>
  [...new Set([...present(before), ...present(after)])].sort().flatMap((key) => {
    const at = `${path}/${escape(key)}`
    if (!has(after, key)) return [{ op: 'remove', path: at } as const]
    if (!has(before, key)) return [{ op: 'add', path: at, value: after[key] } as const]
    return differences(at, before[key], after[key])
  })

const inList = (
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
): readonly PatchOperation[] => {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && isDeepStrictEqual(before[head], after[head])) head += 1
  let tail = 0
  while (tail < shorter - head && isDeepStrictEqual(before.at(-1 - tail), after.at(-1 - tail))) tail += 1
  const changed = before.slice(head, before.length - tail)
  const wanted = after.slice(head, after.length - tail)
  const both = Math.min(changed.length, wanted.length)
  return [
    ...wanted.slice(0, both).flatMap((value, i) => differences(`${path}/${head + i}`, changed[i], value)),
    ...wanted
      .slice(both)
      .map((value, i) => ({ op: 'add', path: `${path}/${head + both + i}`, value }) as const),
    ...changed.slice(both).map(() => ({ op: 'remove', path: `${path}/${head + both}` }) as const),
  ]
}

/** A key without a value is no key: it does not reach JSON. */
const present = (map: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.keys(map).filter((key) => has(map, key))

const has = (map: Readonly<Record<string, unknown>>, key: string): boolean =>
  Object.hasOwn(map, key) && map[key] !== undefined

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')
