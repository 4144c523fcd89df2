import type { Json, JsonObject } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Channel, Role } from '../core/text.ts'
import type { Reading } from './reading.ts'
import { note, refuse } from './reading.ts'
import { json, jsonText, named, schema } from './json-shapes.ts'
import type { Row } from './rows.ts'
import { row } from './rows.ts'
import type { Fields, Shape } from './shape.ts'
import { at, custom } from './shape.ts'

/** The longest string that an answer may hold under a key we do not know: an id. */
const MAX_ID = 64

/** A free string. */
const text = (role: Role, channel: Channel, max = Infinity): Shape =>
  custom(row('scanned', { role, channel }), (value, reading) => {
    if (typeof value !== 'string') return refuse(reading, 'must be a string')
    if (value.length > max) return refuse(reading, `must have at most ${String(max)} characters`)
    return note(reading, value, { role, channel })
  })

/** One of a closed set of strings. */
const oneOf = (...allowed: readonly string[]): Shape => {
  const set = new Set<Json>(allowed)
  return custom(row('closed', { note: allowed.join(', ') }), (value, reading) =>
    set.has(value) ? value : refuse(reading, `must be one of: ${allowed.join(', ')}`),
  )
}

const matching = (treatment: Row['treatment'], pattern: RegExp, what: string): Shape =>
  custom(row(treatment, { note: what }), (value, reading) =>
    typeof value === 'string' && pattern.test(value) ? value : refuse(reading, `must be ${what}`),
  )

const number = (min: number, max: number): Shape =>
  custom(row('number'), (value, reading) =>
    typeof value === 'number' && value >= min && value <= max
      ? value
      : refuse(reading, `must be a number from ${String(min)} to ${String(max)}`),
  )

const integer = (min: number, max: number): Shape =>
  custom(row('number'), (value, reading) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? value
      : refuse(reading, `must be a whole number from ${String(min)} to ${String(max)}`),
  )

const boolean = custom(row('number'), (value, reading) =>
  typeof value === 'boolean' ? value : refuse(reading, 'must be true or false'),
)

const nullable = (shape: Shape): Shape =>
  custom(shape.rows, (value, reading) => (value === null ? null : shape(value, reading)))

/** What `read` makes of a value that has the shape. */
const refined = (shape: Shape, read: (kept: Json, reading: Reading) => Json): Shape =>
  custom(shape.rows, (value, reading) => {
    const kept = shape(value, reading)
    return kept === undefined ? undefined : read(kept, reading)
  })

const list = (item: Shape, { min = 0, max = 10_000 } = {}): Shape => {
  const rows: Shape['rows'] = (place) => item.rows(`${place}/*`)
  return custom(rows, (value, reading) => {
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
  })
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
  const rows: Shape['rows'] = (place) => [...known].flatMap(([key, shape]) => shape.rows(`${place}/${key}`))
  return custom(rows, (value, reading) => {
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
  })
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

interface Other {
  /** The variant of an object without the key. */
  readonly absent?: string
  /** Names, without quoting, what is wrong with any other variant. */
  readonly why?: string
}

/** Objects told apart by the string under `key`. */
const tagged = (key: string, variants: Fields, { absent, why }: Other = {}): Shape => {
  const allowed = `${Object.keys(variants).join(', ')}${why ? `; ${why}` : ''}`
  const rows: Shape['rows'] = (place) => [
    ...row('closed', { note: allowed })(`${place}/${key}`),
    ...variantRows(key, variants, absent).map((inner) => ({ ...inner, part: `${place}${inner.part}` })),
  ]
  return custom(rows, (value, reading) => {
    if (!isObject(value)) return refuse(reading, 'must be an object')
    const tag = value[key] ?? absent
    if (typeof tag === 'string' && Object.hasOwn(variants, tag)) return variants[tag]?.(value, reading)
    return at(reading, key, () => refuse(reading, `must be one of: ${allowed}`))
  })
}

/** Variants that are treated alike share their rows. */
const variantRows = (key: string, variants: Fields, absent: string | undefined): readonly Row[] => {
  const tagsOf = new Map<string, string[]>()
  for (const [tag, shape] of Object.entries(variants)) {
    const rows = JSON.stringify(shape.rows('').filter(({ part }) => part !== `/${key}`))
    const names = tag === absent ? [tag, 'absent'] : [tag]
    tagsOf.set(rows, [...(tagsOf.get(rows) ?? []), ...names])
  }
  return [...tagsOf].flatMap(([rows, tags]) =>
    (JSON.parse(rows) as readonly Row[]).map((inner) => ({
      ...inner,
      part: `[${key}=${tags.join('|')}]${inner.part}`,
    })),
  )
}

/** A string, or something else. */
const stringOr = (string: Shape, other: Shape): Shape =>
  custom(
    (place) => [...string.rows(place), ...other.rows(place)],
    (value, reading) => (typeof value === 'string' ? string : other)(value, reading),
  )

const refused = (why: string): Shape =>
  custom(row('refused', { note: why }), (_value, reading) => refuse(reading, why))

/** A content part that no scanner can read: only where the operator allows it, and counted. */
const nonText = (what: string, shape: Shape): Shape => {
  const rows: Shape['rows'] = (place) =>
    shape.rows(place).map((inner) => ({ note: what, ...inner, permit: 'nonText' }))
  return custom(rows, (value, reading) => {
    if (!reading.options.allowNonText) {
      return refuse(reading, `${what} cannot be inspected; the operator can allow content that is not text`)
    }
    reading.uninspected++
    return shape(value, reading)
  })
}

/** Token counts: numbers under plain names, also grouped. Anything else is left out. */
const counts = Object.assign((value: Json) => countsOf(value, 3), {
  rows: (place) => [
    ...row('number')(`${place}/**`),
    ...row('dropped', { note: 'what is not a number' })(place),
  ],
} satisfies Pick<Shape, 'rows'>)

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
  custom,
  refined,
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
  dropped: custom(row('dropped'), () => undefined),
  /** The name of a model: picks an upstream, so a closed alphabet. */
  model: matching('closed', /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,127}$/, 'a model name'),
  /** An identifier that the model server made. */
  id: matching('closed', /^[A-Za-z0-9_.:/|+=-]{0,128}$/, 'an identifier'),
  /** A lower-case code such as a finish reason. */
  code: matching('closed', /^[a-z0-9_.-]{1,64}$/, 'a code'),
  base64: matching('passed', /^[A-Za-z0-9+/_-]*={0,2}$/, 'base64'),
} as const

/** `holdsText` for the streams, which read their events by hand. */
export const mayHoldText = holdsText
