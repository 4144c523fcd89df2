import type { DialectOptions, Prompt } from '../core/dialect.ts'
import type { JsonObject } from '../core/json.ts'
import type { Params } from '../core/policy.ts'
import type { Text } from '../core/text.ts'
import { modelExtras } from './model-extras.ts'
import { newReading, refuse } from './reading.ts'
import type { Fields, Shape } from './shape.ts'
import { shape as s } from './shapes.ts'

/** How a dialect reads its requests. */
export interface RequestTable {
  readonly shape: Shape
  readonly upstreamPath: string
  readonly params: (body: JsonObject) => Params
  /** Prompts in one request, where there can be several. */
  readonly prompts?: (body: JsonObject) => number
}

/** An extra that is not in the table. */
export const unnamedExtra = s.json('definition', 'parameter')

/** The shape of a request body. A key that is not in `fields` passes only where the operator allows it by name. */
export const requestShape = (fields: Fields, ...required: readonly string[]): Shape => {
  const shape = s.members(fields, required, (key, value, reading) => {
    const known = Object.hasOwn(modelExtras, key) ? modelExtras[key] : undefined
    if (!reading.options.extras.has(key)) {
      return refuse(reading, `unknown key${known ? '; ask the operator to allow it as an extra' : ''}`)
    }
    reading.extras.add(key)
    return (known ?? unnamedExtra)(value, reading)
  })
  const rows: Shape['rows'] = (place) => [
    ...shape.rows(place),
    ...Object.entries(modelExtras)
      .filter(([key]) => !Object.hasOwn(fields, key))
      .flatMap(([key, extra]) => extra.rows(`${place}/${key}`))
      .map((row) => ({ ...row, permit: 'extra' as const })),
  ]
  return s.custom(rows, shape)
}

export const readRequest = (body: JsonObject, options: DialectOptions, table: RequestTable): Prompt => {
  const texts: Text[] = []
  const reading = newReading('body_invalid', options, (text) => void texts.push(text))
  table.shape(body, reading)
  const params = table.params(body)
  return {
    model: body['model'] as string,
    stream: body['stream'] === true,
    body,
    upstreamPath: table.upstreamPath,
    texts,
    params,
    choices: (params.n ?? 1) * (table.prompts?.(body) ?? 1),
    tools: reading.tools,
    extras: [...reading.extras].sort(),
    uninspected: reading.uninspected,
  }
}
