import { isAmbiguousJson, nestedJson } from '../core/edit.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Channel, Role } from '../core/text.ts'
import { IN_JSON, KEY_OF } from '../core/text.ts'
import type { Reading } from './reading.ts'
import { note, refuse } from './reading.ts'

/** What a value may be: throws by `refuse`, notes the texts, and returns what is kept; undefined leaves it out. */
export type Shape = (value: Json, reading: Reading) => Json | undefined

export type Fields = Readonly<Record<string, Shape>>

/** The longest string that an answer may hold under a key we do not know: an id. */
const MAX_ID = 64

/** Words of the JSON Schema language: the same for everybody, so not text. */
const SCHEMA_WORDS = new Set(
  (
    'type properties required items description title enum const default format pattern additionalProperties anyOf ' +
    'allOf oneOf not $ref $defs $schema definitions minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ' +
    'minLength maxLength minItems maxItems uniqueItems minProperties maxProperties examples nullable prefixItems ' +
    'object string number integer boolean array null'
  ).split(' '),
)

const at = (
  reading: Reading,
  step: string | number | symbol,
  read: () => Json | undefined,
): Json | undefined => {
  reading.path.push(step as string)
  const kept = read()
  reading.path.pop()
  return kept
}

/** A free string. */
const text =
  (role: Role, channel: Channel, max = Infinity): Shape =>
  (value, reading) => {
    if (typeof value !== 'string') return refuse(reading, 'must be a string')
    if (value.length > max) return refuse(reading, `must have at most ${String(max)} characters`)
    return note(reading, value, { role, channel })
  }

/** One of a closed set of strings. */
const oneOf = (...allowed: readonly string[]): Shape => {
  const set = new Set<Json>(allowed)
  return (value, reading) =>
    set.has(value) ? value : refuse(reading, `must be one of: ${allowed.join(', ')}`)
}

/** A string of a closed alphabet, too short and too plain to carry a text. */
const matching =
  (pattern: RegExp, what: string): Shape =>
  (value, reading) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse(reading, `must be ${what}`)

const number =
  (min: number, max: number): Shape =>
  (value, reading) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : refuse(reading, `must be a number from ${String(min)} to ${String(max)}`)

const integer =
  (min: number, max: number): Shape =>
  (value, reading) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? value
      : refuse(reading, `must be a whole number from ${String(min)} to ${String(max)}`)

const boolean: Shape = (value, reading) =>
  typeof value === 'boolean' ? value : refuse(reading, 'must be true or false')

const nullable =
  (shape: Shape): Shape =>
  (value, reading) =>
    value === null ? null : shape(value, reading)

const list =
  (item: Shape, { min = 0, max = 10_000 } = {}): Shape =>
  (value, reading) => {
    if (!Array.isArray(value)) return refuse(reading, 'must be an array')
    if (value.length < min || value.length > max) {
      return refuse(reading, `must have ${String(min)} to ${String(max)} entries`)
    }
    const kept: Json[] = []
    for (let index = 0; index < value.length; index++) {
      const entry = at(reading, index, () => item(value[index] as Json, reading))
      if (entry !== undefined) kept.push(entry)
    }
    return kept
  }

const requireKeys = (value: JsonObject, required: readonly string[], reading: Reading): void => {
  for (const key of required) {
    if (!Object.hasOwn(value, key)) refuse(reading, `the key ${key} is missing`)
  }
}

/** What to do about a key that is not known. */
type Unknown = (key: string, value: Json, reading: Reading) => Json | undefined

const members = (fields: Fields, required: readonly string[], unknown: Unknown): Shape => {
  const known = new Map(Object.entries(fields))
  return (value, reading) => {
    if (!isObject(value)) return refuse(reading, 'must be an object')
    requireKeys(value, required, reading)
    const kept: [string, Json][] = []
    for (const [key, member] of Object.entries(value)) {
      const shape = known.get(key)
      const result = at(reading, key, () =>
        shape === undefined ? unknown(key, member, reading) : shape(member, reading),
      )
      if (result !== undefined) kept.push([key, result])
    }
    return Object.fromEntries(kept)
  }
}

const refuseUnknown: Unknown = (_key, _value, reading) => refuse(reading, 'unknown key')

/** An object of a request: a key that is not known is refused. */
const object = (fields: Fields, ...required: readonly string[]): Shape =>
  members(fields, required, refuseUnknown)

/** An object of an answer: a key that is not known is left out, or refused when it may hold text. */
const answer = (fields: Fields, ...required: readonly string[]): Shape =>
  members(fields, required, (_key, value, reading) =>
    holdsText(value) ? refuse(reading, 'unknown key that may hold text') : undefined,
  )

const holdsText = (value: Json): boolean => {
  const open: Json[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string' && next.length > MAX_ID) return true
    if (typeof next === 'object' && next !== null) for (const inner of Object.values(next)) open.push(inner)
  }
  return false
}

/** Objects told apart by the string under `key`. `other` names, without quoting, what is wrong with any other. */
const tagged =
  (key: string, variants: Fields, other: { readonly absent?: string; readonly why?: string } = {}): Shape =>
  (value, reading) => {
    if (!isObject(value)) return refuse(reading, 'must be an object')
    const tag = value[key] ?? other.absent
    if (typeof tag === 'string' && Object.hasOwn(variants, tag)) return variants[tag]?.(value, reading)
    return at(reading, key, () =>
      refuse(
        reading,
        `must be one of: ${Object.keys(variants).join(', ')}${other.why ? `; ${other.why}` : ''}`,
      ),
    )
  }

/** A string, or something else. */
const stringOr =
  (string: Shape, other: Shape): Shape =>
  (value, reading) =>
    (typeof value === 'string' ? string : other)(value, reading)

/** Any JSON: each string and each key is a text. `except` are closed words, which are not. */
const json =
  (role: Role, channel: Channel, except: ReadonlySet<string> = new Set()): Shape =>
  (value, reading) => {
    const visit = (inner: Json): void => {
      if (typeof inner === 'string') {
        if (!except.has(inner)) note(reading, inner, { role, channel })
      } else if (Array.isArray(inner)) {
        for (const [index, entry] of inner.entries()) {
          at(reading, index, () => {
            visit(entry as Json)
            return undefined
          })
        }
      } else if (isObject(inner)) {
        for (const [key, member] of Object.entries(inner)) {
          at(reading, key, () => {
            if (!except.has(key)) at(reading, KEY_OF, () => void note(reading, key, { role, channel }))
            visit(member)
            return undefined
          })
        }
      }
    }
    visit(value)
    return value
  }

const schema = (role: Role = 'definition', channel: Channel = 'tool_definition'): Shape => {
  const any = json(role, channel, SCHEMA_WORDS)
  return (value, reading) =>
    isObject(value) || typeof value === 'boolean'
      ? any(value, reading)
      : refuse(reading, 'must be a JSON schema')
}

/**
 * A string that should hold JSON: each string and key in it is a text. A string that is not JSON is one text as it is;
 * one that only some parsers read, and that hides characters behind escapes, is refused.
 */
const jsonText = (role: Role, channel: Channel): Shape => {
  const any = json(role, channel)
  return (value, reading) => {
    if (typeof value !== 'string') return refuse(reading, 'must be a string')
    const inner = nestedJson(value)
    if (inner !== undefined) {
      at(reading, IN_JSON, () => any(inner, reading))
      return value
    }
    if (isAmbiguousJson(value)) return refuse(reading, 'JSON that parsers read in different ways')
    return note(reading, value, { role, channel })
  }
}

/** An object whose keys are free texts too. */
const named =
  (role: Role, channel: Channel, member: Shape): Shape =>
  (value, reading) => {
    if (!isObject(value)) return refuse(reading, 'must be an object')
    for (const [key, inner] of Object.entries(value)) {
      at(reading, key, () => {
        at(reading, KEY_OF, () => void note(reading, key, { role, channel }))
        return member(inner, reading)
      })
    }
    return value
  }

const refused =
  (why: string): Shape =>
  (_value, reading) =>
    refuse(reading, why)

/** A content part that no scanner can read: only where the operator allows it, and counted. */
const nonText =
  (what: string, shape: Shape): Shape =>
  (value, reading) => {
    if (!reading.options.allowNonText) {
      return refuse(reading, `${what} cannot be inspected; the operator can allow content that is not text`)
    }
    reading.uninspected++
    return shape(value, reading)
  }

/** Token counts: numbers under plain names, also grouped. Anything else is left out. */
const counts = (value: Json): Json | undefined => countsOf(value, 3)

const countsOf = (value: Json, depth: number): Json | undefined => {
  if (typeof value === 'number' || value === null) return value
  if (!isObject(value) || depth === 0) return undefined
  const kept = Object.entries(value).flatMap(([key, member]): [string, Json][] => {
    const count = /^[a-z0-9_]{1,64}$/.test(key) ? countsOf(member, depth - 1) : undefined
    return count === undefined ? [] : [[key, count]]
  })
  return Object.fromEntries(kept)
}

export const shape = {
  members,
  text,
  oneOf,
  number,
  integer,
  boolean,
  nullable,
  list,
  object,
  answer,
  tagged,
  stringOr,
  json,
  schema,
  jsonText,
  named,
  refused,
  nonText,
  counts,
  /** Left out of an answer, whatever it is. */
  dropped: (() => undefined) satisfies Shape,
  /** The name of a model: picks an upstream, so a closed alphabet. */
  model: matching(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/, 'a model name'),
  /** An identifier that the model server made. */
  id: matching(/^[A-Za-z0-9_.:/|+=-]{0,128}$/, 'an identifier'),
  /** A lower-case code such as a finish reason. */
  code: matching(/^[a-z0-9_.-]{1,64}$/, 'a code'),
  base64: matching(/^[A-Za-z0-9+/_-]*={0,2}$/, 'base64'),
} as const

/** `holdsText` for the streams, which read their events by hand. */
export const mayHoldText = holdsText
