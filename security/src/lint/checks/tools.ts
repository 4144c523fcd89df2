import { defaultScanner } from '../../../../proxy/src/compose/scanner.ts'
import type { Finding, Fix } from '../finding.ts'
import { flatten } from '../prompt.ts'
import type { RuleId } from '../rules.ts'
import type { Tool } from '../tool.ts'
import { wordsOf } from '../trust.ts'
import { entryOf, textOf, type Value } from '../value.ts'

/** What the definition of a tool says: its name, its description, its schema. */
export const checkTool = (tool: Tool): readonly Finding[] => [
  ...named(tool),
  ...described(tool),
  ...shaped(tool),
]

const named = ({ name, schema, start, end }: Tool): readonly Finding[] => {
  const parameters = entryOf(schema, 'properties')?.value
  const keys = parameters?.kind === 'object' ? parameters.entries().map(({ key }) => key.toLowerCase()) : []
  const rule = powerOf(wordsOf(name), keys)
  return rule === undefined ? [] : [{ rule, message: `The tool ${name} lets the model do this.`, start, end }]
}

/** By the words of its name and the names of its parameters. */
const powerOf = (words: readonly string[], keys: readonly string[]): RuleId | undefined => {
  const has = (...some: readonly string[]): boolean => some.some((word) => words.includes(word))
  const takes = (...some: readonly string[]): boolean => some.some((key) => keys.includes(key))
  if (
    has('shell', 'bash', 'powershell', 'terminal') ||
    (has('execute', 'exec', 'run') && has('command', 'commands', 'cmd'))
  )
    return 'shell-tool'
  if (
    (has('execute', 'exec', 'run', 'eval', 'evaluate') && has('code', 'python', 'javascript', 'script')) ||
    (has('python', 'eval') && takes('code'))
  )
    return 'code-tool'
  if ((has('sql') && takes('query', 'sql', 'statement')) || takes('sql', 'sql_query', 'raw_sql'))
    return 'raw-sql-tool'
  if (
    has('write', 'delete', 'remove', 'overwrite', 'edit', 'create', 'save') &&
    has('file', 'files', 'folder', 'directory')
  )
    return 'file-write-tool'
  if (has('fetch', 'http', 'request', 'requests', 'curl', 'browse', 'scrape') && takes('url', 'uri'))
    return 'any-url-tool'
  return undefined
}

const described = ({ name, description }: Tool): readonly Finding[] => {
  if (description?.kind !== 'string') return []
  const flat = flatten({ role: 'tool', pieces: description.pieces })
  const found = defaultScanner()
    .scan(flat.text)
    .filter(
      ({ category, score }) => (category === 'injection' && score >= 0.6) || category === 'invisible_text',
    )
  return found.slice(0, 1).map(({ rule, start, end }) => ({
    rule: 'poisoned-tool-description',
    message: `The description of ${name} has the marks of an attack (${rule}).`,
    start: flat.at(start),
    end: flat.at(end),
  }))
}

const shaped = ({ name, schema }: Tool): readonly Finding[] => {
  if (schema?.kind !== 'object') return []
  const extra = entryOf(schema, 'additionalProperties')
  const properties = entryOf(schema, 'properties')
  const type = entryOf(schema, 'type')
  const span = { start: schema.start, end: Math.min(schema.end, schema.start + 200) }
  const allowed = textOf(extra?.value).toLowerCase()
  if (allowed === 'true' || (properties === undefined && allowed !== 'false' && isPlain(schema)))
    return [{ rule: 'wildcard-tool-schema', message: `${name} takes any arguments.`, ...span }]
  if (
    extra !== undefined ||
    type === undefined ||
    textOf(type.value).toLowerCase() !== 'object' ||
    properties === undefined
  )
    return []
  return [
    {
      rule: 'open-tool-schema',
      message: `${name} has no additionalProperties: false.`,
      ...span,
      ...fixFor(type),
    },
  ]
}

/** Not a reference, a union or something computed. */
const isPlain = (schema: Value): boolean =>
  schema.kind === 'object' &&
  entryOf(schema, '$ref', 'oneOf', 'anyOf', 'allOf', 'enum', '$defs') === undefined &&
  (schema.entries().length === 0 || entryOf(schema, 'type') !== undefined)

/** After `"type": "object"`, in the same notation: only where that is written with quotes on one line. */
const fixFor = (type: {
  readonly start: number
  readonly end: number
  readonly value: Value
}): { fix?: Fix } => {
  const isQuoted = type.value.kind === 'string' && type.value.end - type.value.start === 'object'.length + 2
  const isQuotedKey = type.value.start - type.start >= '"type": '.length - 1
  if (!isQuoted || !isQuotedKey) return {}
  return {
    fix: {
      title: 'Add "additionalProperties": false',
      safe: false,
      edits: [{ start: type.end, end: type.end, insert: ', "additionalProperties": false' }],
    },
  }
}
