import type { Json, JsonObject } from './json.ts'
import { isObject } from './json.ts'
import { Refusal } from './refusal.ts'
import type { JsonLimits } from './strict-json.ts'
import { foldKey, readJsonText } from './strict-json.ts'
import type { Edit, Path } from './text.ts'
import { IN_JSON, KEY_OF } from './text.ts'

/** The string around it is bounded already; these keep reading it cheap. */
const NESTED: JsonLimits = { depth: 64, nodes: 100_000, keys: 20_000 }

/** The JSON document in a string, such as the arguments of a tool call; undefined when the string is none that all parsers read alike. */
export const nestedJson = (text: string): Json | undefined => {
  try {
    return readJsonText(text, NESTED)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/**
 * True for a string that some parsers read as JSON, that `nestedJson` does not, and that has escapes: what those parsers
 * see is then not what a scanner sees in the string as it stands.
 */
export const isAmbiguousJson = (text: string): boolean => {
  if (!text.includes('\\') || nestedJson(text) !== undefined) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The string or number at `path`, a key for paths that end in KEY_OF; undefined when there is none. */
export const textAt = (body: Json, path: Path): string | undefined => {
  let value: Json | undefined = body
  let key: string | undefined
  for (const step of path) {
    if (step === KEY_OF) value = key
    else if (step === IN_JSON) value = typeof value === 'string' ? nestedJson(value) : undefined
    else if (typeof step === 'number')
      value = Array.isArray(value) ? (value[step] as Json | undefined) : undefined
    else {
      value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
      key = value === undefined ? undefined : step
    }
  }
  return typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined
}

/**
 * The body with the strings, and the numbers, at the paths replaced by strings; what is not on a path is shared, not copied. Paths name keys as they
 * are in `body`, renamed ones too. A key that would then be in its object twice gets a number: `name_2`.
 * Throws Error when a path does not lead to a string: an edit that cannot be made must not be forgotten.
 */
export const withEdits = (body: JsonObject, edits: readonly Edit[]): JsonObject => {
  if (edits.length === 0) return body
  const root = branch()
  for (const edit of edits) graft(root, edit)
  return edited(body, root) as JsonObject
}

/** The edits at and below one place. */
interface Branch {
  value: string | undefined
  key: string | undefined
  readonly below: Map<Path[number], Branch>
}

const branch = (): Branch => ({ value: undefined, key: undefined, below: new Map() })

const graft = (root: Branch, edit: Edit): void => {
  let at = root
  for (const step of edit.path) {
    if (step === KEY_OF) {
      at.key = edit.value
      return
    }
    const next = at.below.get(step) ?? branch()
    at.below.set(step, next)
    at = next
  }
  at.value = edit.value
}

const lost = (): never => {
  throw new Error('an edit does not lead to a string')
}

const edited = (value: Json | undefined, { value: text, below }: Branch): Json => {
  if (value === undefined) return lost()
  if (text !== undefined) {
    const isText = typeof value === 'string' || typeof value === 'number'
    return isText && below.size === 0 ? text : lost()
  }
  if (below.size === 0) return value
  if (typeof value === 'string') return inString(value, below)
  if (Array.isArray(value)) return inArray(value, below)
  return isObject(value) ? inObject(value, below) : lost()
}

const inString = (value: string, below: Branch['below']): Json => {
  const inside = below.get(IN_JSON)
  return inside?.key !== undefined || inside === undefined || below.size > 1
    ? lost()
    : JSON.stringify(edited(nestedJson(value), inside))
}

const inArray = (value: readonly Json[], below: Branch['below']): Json => {
  const copy = [...value]
  for (const [step, inside] of below) {
    if (typeof step !== 'number' || inside.key !== undefined) return lost()
    copy[step] = edited(value[step], inside)
  }
  return copy
}

const inObject = (value: JsonObject, below: Branch['below']): Json => {
  for (const step of below.keys()) {
    if (typeof step !== 'string' || !Object.hasOwn(value, step)) return lost()
  }
  const rename = unusedNames(value, below)
  // fromEntries makes own members of every name, `__proto__` too.
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const inside = below.get(key)
      if (inside === undefined) return [key, member]
      return [inside.key === undefined ? key : rename(inside.key), edited(member, inside)]
    }),
  )
}

/** Gives each wanted name, or the name with the first free number. Linear for any number of equal names. */
const unusedNames = (value: JsonObject, below: Branch['below']): ((wanted: string) => string) => {
  const kept = Object.keys(value).filter((key) => below.get(key)?.key === undefined)
  const taken = new Set(kept.map(foldKey))
  const used = new Map<string, number>()
  return (wanted) => {
    let count = used.get(wanted) ?? 1
    let name = count === 1 ? wanted : `${wanted}_${String(count)}`
    while (taken.has(foldKey(name))) name = `${wanted}_${String(++count)}`
    used.set(wanted, count)
    taken.add(foldKey(name))
    return name
  }
}
