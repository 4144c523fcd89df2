import { isAmbiguousJson, nestedJson } from '../core/edit.ts'
import { numberText } from '../core/json-texts.ts'
import type { Json } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import type { Channel, Role } from '../core/text.ts'
import { IN_JSON, KEY_OF } from '../core/text.ts'
import type { Reading } from './reading.ts'
import { note, refuse } from './reading.ts'
import { everything, row } from './rows.ts'
import type { Shape } from './shape.ts'
import { SCHEMA_WORDS } from './schema-words.ts'
import { at, custom } from './shape.ts'

const WORDS_NOTE = 'all but the words of the JSON Schema language'

/** Any JSON: each string, each key and each long number is a text. */
export const json = (role: Role, channel: Channel): Shape =>
  custom(everything('scanned', { role, channel }), anyJson({ role, channel }, new Set()))

type Read = (value: Json, reading: Reading) => Json

/** `except` are closed words, which are no texts. */
const anyJson =
  (voice: { readonly role: Role; readonly channel: Channel }, except: ReadonlySet<string>): Read =>
  (value, reading) => {
    const visit = (inner: Json): void => {
      if (typeof inner === 'string') {
        if (!except.has(inner)) note(reading, inner, voice)
      } else if (typeof inner === 'number') {
        note(reading, numberText(inner) ?? '', voice)
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
            if (!except.has(key)) at(reading, KEY_OF, () => void note(reading, key, voice))
            visit(member)
            return undefined
          })
        }
      }
    }
    visit(value)
    return value
  }

export const schema = (role: Role = 'definition', channel: Channel = 'tool_definition'): Shape => {
  const any = anyJson({ role, channel }, SCHEMA_WORDS)
  const rows: Shape['rows'] = (place) => row('scanned', { role, channel, note: WORDS_NOTE })(`${place}/**`)
  return custom(rows, (value, reading) =>
    isObject(value) || typeof value === 'boolean'
      ? any(value, reading)
      : refuse(reading, 'must be a JSON schema'),
  )
}

/**
 * A string that should hold JSON: each string and key in it is a text. A string that is not JSON is one text as it is;
 * one that only some parsers read, and that hides characters behind escapes, is refused.
 */
export const jsonText = (role: Role, channel: Channel): Shape => {
  const any = json(role, channel)
  const rows: Shape['rows'] = (place) => [
    ...row('scanned', { role, channel, note: 'what is not JSON' })(place),
    ...row('scanned', { role, channel, note: 'the JSON in it' })(`${place}#`),
    ...row('scanned', { role, channel, note: 'the JSON in it' })(`${place}#/**`),
  ]
  return custom(rows, (value, reading) => {
    if (typeof value !== 'string') return refuse(reading, 'must be a string')
    const inner = nestedJson(value)
    if (inner !== undefined) {
      at(reading, IN_JSON, () => any(inner, reading))
      return value
    }
    if (isAmbiguousJson(value)) return refuse(reading, 'JSON that parsers read in different ways')
    return note(reading, value, { role, channel })
  })
}

/** An object whose keys are free texts too. */
export const named = (role: Role, channel: Channel, member: Shape): Shape => {
  const rows: Shape['rows'] = (place) => [
    ...row('scanned', { role, channel })(`${place}/*/~key`),
    ...member.rows(`${place}/*`),
  ]
  return custom(rows, (value, reading) => {
    if (!isObject(value)) return refuse(reading, 'must be an object')
    for (const [key, inner] of Object.entries(value)) {
      at(reading, key, () => {
        at(reading, KEY_OF, () => void note(reading, key, { role, channel }))
        return member(inner, reading)
      })
    }
    return value
  })
}
