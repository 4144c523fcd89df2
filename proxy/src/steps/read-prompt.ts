import type { Dialect, DialectOptions, Prompt } from '../core/dialect.ts'
import type { Received } from '../core/exchange.ts'
import { isObject } from '../core/json.ts'
import { readJson, type JsonLimits } from '../core/strict-json.ts'
import type { Notes } from '../core/notes.ts'
import { Refusal } from '../core/refusal.ts'

export interface ReadPromptParts {
  readonly dialects: ReadonlyMap<string, Dialect>
  readonly options: DialectOptions
  readonly json: JsonLimits
}

/** A request in the words all dialects share, and the dialect that read it. */
export interface Asked {
  readonly dialect: Dialect
  readonly prompt: Prompt
}

/** Bytes -> strict JSON -> prompt. What is forwarded later is built from this, never from the bytes. */
export const readPromptStep =
  ({ dialects, options, json }: ReadPromptParts) =>
  async (received: Received, notes: Notes): Promise<Asked> => {
    const dialect = dialects.get(received.route.dialect ?? '')
    if (!dialect)
      throw new Refusal('guard_failed', { cause: new Error(`no dialect for ${received.route.name}`) })
    const body = readJson(await received.body(), json)
    if (!isObject(body)) throw new Refusal('body_invalid', { details: ['the body must be a JSON object'] })
    const prompt = dialect.read(body, options)
    notes.model = prompt.model
    notes.stream = prompt.stream
    notes.uninspected = prompt.uninspected
    return { dialect, prompt }
  }
