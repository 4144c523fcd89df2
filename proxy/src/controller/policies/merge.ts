import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { pointer } from '../../core/text.ts'
import type { DataFile } from './collect.ts'
import type { Problem } from './problem.ts'

export interface Merged {
  readonly data: JsonObject
  readonly problems: readonly Problem[]
  /** Who set the value at a path, or the nearest above or below it; undefined when it is the base's. */
  ownerOf(path: readonly (string | number)[]): DataFile | undefined
}

/**
 * JSON merge patch (RFC 7386) of all files onto the base, in their order: objects are merged, `null` takes a member away, anything
 * else replaces. A file that sets what another has set otherwise is a problem of the later one, never a silent winner.
 */
export const mergeData = (base: JsonObject, files: readonly DataFile[]): Merged => {
  const claims = claim()
  const problems: Problem[] = []
  let data: Json = base
  for (const file of files) {
    const conflict = stake(claims, { value: file.value, file, path: [] })
    if (conflict !== undefined) problems.push(conflict)
    else data = mergePatch(data, file.value)
  }
  return {
    data: isObject(data) ? data : {},
    problems,
    ownerOf: (path) => ownerAt(claims, path),
  }
}

/** What files set, as a tree of members. A leaf is a value that is not an object, and has one or more setters. */
interface Claim {
  readonly members: Map<string, Claim>
  leaf: { readonly text: string; readonly by: DataFile } | undefined
  /** The first file that has this member, with whatever value. */
  by: DataFile | undefined
}

const claim = (): Claim => ({ members: new Map(), leaf: undefined, by: undefined })

interface Step {
  readonly value: Json
  readonly file: DataFile
  readonly path: readonly string[]
}

/** Records what the file sets; the first thing that differs from an earlier file's is the answer, and nothing below it is recorded. */
const stake = (node: Claim, { value, file, path }: Step): Problem | undefined => {
  const other = node.leaf?.by ?? (isObject(value) ? undefined : node.by)
  node.by ??= file
  const text = isObject(value) ? undefined : JSON.stringify(value)
  if (other !== undefined && node.leaf?.text !== text) return conflictOf(file, other, path)
  if (!isObject(value)) {
    node.leaf ??= { text: text ?? '', by: file }
    return undefined
  }
  for (const [key, inner] of Object.entries(value)) {
    const child = node.members.get(key) ?? claim()
    node.members.set(key, child)
    const conflict = stake(child, { value: inner, file, path: [...path, key] })
    if (conflict !== undefined) return conflict
  }
  return undefined
}

const conflictOf = (file: DataFile, other: DataFile, path: readonly string[]): Problem => ({
  code: 'data_conflict',
  configMap: file.configMap,
  key: file.key,
  message:
    `sets ${pointer(path)} otherwise than ConfigMap ${other.configMap}, key ${other.key}, which comes first; ` +
    'set it in one of them only',
})

const ownerAt = (root: Claim, path: readonly (string | number)[]): DataFile | undefined => {
  let node = root
  for (const step of path) {
    const child = node.members.get(String(step))
    if (child === undefined) break
    node = child
  }
  return node === root ? undefined : node.by
}

const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isObject(patch)) return patch
  const merged = new Map(Object.entries(isObject(target) ? target : {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}
