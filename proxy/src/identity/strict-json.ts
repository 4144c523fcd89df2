import { isObject, type JsonObject } from '../core/json.ts'
import { readJson, type JsonLimits } from '../core/strict-json.ts'

/** Tokens and key sets are small and flat. */
const LIMITS: JsonLimits = { depth: 16, nodes: 20_000, keys: 10_000 }

/** One JSON object, read in the only way that every parser agrees on: see `readJson`. Throws SyntaxError that quotes no input. */
export const parseObject = (bytes: Uint8Array): JsonObject => {
  const value = strict(bytes)
  if (!isObject(value)) throw new SyntaxError('not a JSON object')
  return value
}

const strict = (bytes: Uint8Array) => {
  try {
    return readJson(bytes, LIMITS)
  } catch {
    // Its reasons name members, which are part of a credential here.
    throw new SyntaxError('not strict JSON')
  }
}
