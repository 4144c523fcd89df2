import type { Span } from './finding.ts'
import { entryOf, textOf, type Value } from './value.ts'

/** A tool as a model is told about it. */
export interface Tool extends Span {
  readonly name: string
  readonly description: Value | undefined
  readonly schema: Value | undefined
}

const SCHEMA_KEYS = ['parameters', 'input_schema', 'inputSchema', 'schema', 'json_schema'] as const

/** The tool that an object defines: OpenAI, Anthropic, MCP, Bedrock and LangChain shapes; also the typed tools of Anthropic. */
export const toolOf = (value: Value): Tool | undefined => {
  const named = entryOf(value, 'name')?.value
  const name = named?.kind === 'string' ? textOf(named) : ''
  const schema = entryOf(value, ...SCHEMA_KEYS)
  const description = entryOf(value, 'description')
  const type = textOf(entryOf(value, 'type')?.value)
  const span = { start: value.start, end: Math.min(value.end, value.start + 200) }
  if (/^(bash|text_editor|computer)_\d{8}$|^local_shell$/.test(type))
    return { name: type, description: undefined, schema: undefined, ...span }
  if (name === '' || schema === undefined || description === undefined || !/^[\w.-]{1,128}$/.test(name))
    return undefined
  if (schema.key === 'schema' || schema.key === 'json_schema') return undefined
  return {
    name,
    description: description.value,
    schema: entryOf(schema.value, 'json')?.value ?? schema.value,
    ...span,
  }
}

/** Every tool in a document. */
export const dataTools = (root: Value): readonly Tool[] => {
  const found: Tool[] = []
  const walk = (value: Value, depth: number): void => {
    if (depth > 60) return
    if (value.kind === 'list') for (const item of value.items()) walk(item, depth + 1)
    if (value.kind !== 'object') return
    const tool = toolOf(value)
    if (tool !== undefined) found.push(tool)
    else for (const { value: inner } of value.entries()) walk(inner, depth + 1)
  }
  walk(root, 0)
  return found
}
