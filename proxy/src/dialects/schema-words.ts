/** Words of the JSON Schema language: the same for everybody, so not text. */
export const SCHEMA_WORDS: ReadonlySet<string> = new Set(
  (
    'type properties required items description title enum const default format pattern additionalProperties anyOf ' +
    'allOf oneOf not $ref $defs $schema definitions minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ' +
    'minLength maxLength minItems maxItems uniqueItems minProperties maxProperties examples nullable prefixItems ' +
    'object string number integer boolean array null'
  ).split(' '),
)
