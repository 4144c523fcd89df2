import { definition, type JsonSchema } from './definitions.ts'
import { ChartError, dotted, type Value } from './values-file.ts'

/**
 * The closed values.schema.json (draft-07) of a chart. Types come from the defaults, the rest from the hints.
 * Throws ChartError for a value whose type cannot be known: null, {} and lists need a hint.
 */
export const valuesSchema = (values: readonly Value[], title: string): JsonSchema => {
  const problems: string[] = []
  const whole = section(values, problems)
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title,
    ...whole,
    // Helm puts `global` into the values of every subchart.
    properties: {
      ...(whole.properties as JsonSchema),
      global: { type: 'object', description: 'Set by Helm when this chart is part of another.' },
    },
  }
  const definitions = usedDefinitions(schema, problems)
  if (problems.length > 0) throw new ChartError(problems)
  return { ...schema, definitions }
}

const section = (values: readonly Value[], problems: string[]): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(
    values.map((value) => [value.path[value.path.length - 1], property(value, problems)]),
  ),
  additionalProperties: false,
})

const property = (value: Value, problems: string[]): JsonSchema => {
  const said = value.description === '' ? {} : { description: value.description }
  if (value.children.length > 0) return { ...said, ...value.hint, ...section(value.children, problems) }
  const hint = expand(value.hint) as JsonSchema
  if (['type', '$ref', 'anyOf', 'oneOf', 'enum', 'const'].some((keyword) => keyword in hint))
    return { ...said, ...hint }
  const type = typeOf(value.fallback)
  if (type === undefined && !('additionalProperties' in hint))
    problems.push(`line ${value.line}: ${dotted(value.path)} needs a hint, such as # @schema {type: string}`)
  return { ...said, type: type ?? 'object', ...hint }
}

const typeOf = (fallback: unknown): string | undefined => {
  switch (typeof fallback) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'boolean'
    case 'number':
      return Number.isInteger(fallback) ? 'integer' : 'number'
    default:
      return undefined
  }
}

/** `{$ref: name}` stands for `{$ref: '#/definitions/name'}`. */
const expand = (hint: unknown): unknown => {
  if (Array.isArray(hint)) return hint.map(expand)
  if (typeof hint !== 'object' || hint === null) return hint
  return Object.fromEntries(
    Object.entries(hint).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' && !value.startsWith('#')
        ? `#/definitions/${value}`
        : expand(value),
    ]),
  )
}

const usedDefinitions = (schema: unknown, problems: string[]): JsonSchema => {
  const found: Record<string, JsonSchema> = {}
  const look = (at: unknown): void => {
    for (const [, name = ''] of JSON.stringify(at).matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)) {
      if (name in found) continue
      const known = definition(name)
      if (known === undefined)
        problems.push(`no definition is called ${name}; see charts/build/definitions.ts`)
      else {
        found[name] = known
        look(known)
      }
    }
  }
  look(schema)
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)))
}
