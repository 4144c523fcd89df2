import fc from 'fast-check'
import type { Json, JsonObject } from '../../core/json.ts'
import { isObject } from '../../core/json.ts'
import { Refusal } from '../../core/refusal.ts'

/** A text that no closed set and no identifier can be. */
export const MARK = 'free text'

/** A body with one place changed: a string replaced, a member added, or a value of another kind put in. */
const mutated = (body: Json, choose: () => number): Json => {
  if (Array.isArray(body) && body.length > 0 && choose() % 4 > 0) {
    const at = choose() % body.length
    return body.map((entry: Json, index) => (index === at ? mutated(entry, choose) : entry))
  }
  if (isObject(body) && Object.keys(body).length > 0 && choose() % 5 > 0) {
    const keys = Object.keys(body)
    const key = keys[choose() % keys.length]!
    if (choose() % 12 === 0) return { ...body, [`${MARK} ${String(choose() % 3)}`]: 'x' }
    if (choose() % 12 === 0)
      return { ...body, [['extra', 'name', 'text', 'data'][choose() % 4]!]: `${MARK} added` }
    return { ...body, [key]: mutated(body[key]!, choose) }
  }
  const wild: Json[] = [
    `${MARK} é "quoted" \\u0041`,
    JSON.stringify({ [`${MARK} key`]: [`${MARK} inner`] }),
    `{"a":"${MARK} cut`,
    { [`${MARK} key`]: `${MARK} value` },
    { type: 'text', text: `${MARK} part` },
    { type: MARK, [MARK]: 1 },
    [`${MARK} entry`],
    [],
    null,
    7,
    true,
    'text',
  ]
  return wild[choose() % wild.length]!
}

export const mutation = (bodies: readonly JsonObject[]): fc.Arbitrary<JsonObject> =>
  fc
    .tuple(fc.constantFrom(...bodies), fc.array(fc.nat(10_000), { minLength: 40, maxLength: 40 }))
    .map(([body, picks]) => {
      let next = 0
      return mutated(body, () => picks[next++ % picks.length]!) as JsonObject
    })
    .filter(isObject)

/** The result, or undefined for a refusal; any other error fails the test. */
export const unlessRefused = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
