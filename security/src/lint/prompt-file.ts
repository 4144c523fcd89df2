import { readFileSync } from 'node:fs'
import type { Finding } from './finding.ts'
import { variableOf, withHoles, guessSyntax } from './holes.ts'
import { entryOf, textOf, type Entry, type Value } from './value.ts'

const SCHEMA = new URL('../../prompt.schema.json', import.meta.url)

/** The JSON Schema (draft 2020-12) of prompt files. */
export const promptSchema = (): string => readFileSync(SCHEMA, 'utf8')

const KEYS = [
  'kind',
  '$schema',
  'name',
  'version',
  'description',
  'model',
  'owner',
  'purpose',
  'declines',
  'variables',
  'messages',
  'tools',
]
const VARIABLE_KEYS = ['type', 'source', 'description', 'maxLength', 'enum', 'default']

/** Files that say `kind: Prompt`: what `prompt.schema.json` says, with places, and which message uses what. Undefined for other files. */
export const checkPromptFile = (root: Value): readonly Finding[] | undefined => {
  if (
    textOf(entryOf(root, 'kind')?.value) !== 'Prompt' ||
    root.kind !== 'object' ||
    entryOf(root, 'messages') === undefined
  )
    return undefined
  const variables = entryOf(root, 'variables')
  const declared = variables?.value.kind === 'object' ? variables.value.entries() : []
  return [
    ...root
      .entries()
      .filter(({ key }) => !KEYS.includes(key))
      .map((entry) => wrong(entry, `${entry.key} is not a key of prompt files.`)),
    ...['name', 'version', 'messages', 'variables']
      .filter((key) => entryOf(root, key) === undefined)
      .map((key) => wrong(root, `${key} is missing.`)),
    ...declared.flatMap(checkVariable),
    ...checkUse(root, declared),
  ]
}

const wrong = ({ start, end }: { start: number; end: number }, message: string): Finding => ({
  rule: 'prompt-schema',
  message,
  start,
  end: Math.min(end, start + 200),
})

const checkVariable = (entry: Entry): readonly Finding[] => {
  if (entry.value.kind !== 'object') return [wrong(entry, `${entry.key} needs type and source.`)]
  const source = textOf(entryOf(entry.value, 'source')?.value)
  const type = textOf(entryOf(entry.value, 'type')?.value)
  return [
    ...entry.value
      .entries()
      .filter(({ key }) => !VARIABLE_KEYS.includes(key))
      .map((one) => wrong(one, `${one.key} is not a key of variables.`)),
    ...(['string', 'number', 'integer', 'boolean'].includes(type)
      ? []
      : [wrong(entry, `${entry.key}: type is string, number, integer or boolean.`)]),
    ...(['trusted', 'user', 'document', 'tool'].includes(source)
      ? []
      : [wrong(entry, `${entry.key}: source is trusted, user, document or tool.`)]),
    ...(type === 'string' && source !== 'trusted' && entryOf(entry.value, 'maxLength', 'enum') === undefined
      ? [wrong(entry, `${entry.key}: text from outside needs a maxLength.`)]
      : []),
  ]
}

/** Here the source of a variable is declared, so its name is not asked. */
const checkUse = (root: Value, declared: readonly Entry[]): readonly Finding[] => {
  const messages = entryOf(root, 'messages')?.value
  if (messages?.kind !== 'list') return []
  const used = new Set<string>()
  const findings = messages.items().flatMap((message): readonly Finding[] => {
    const content = entryOf(message, 'content')?.value
    if (content?.kind !== 'string') return [wrong(message, 'a message needs role and content.')]
    const role = textOf(entryOf(message, 'role')?.value)
    return withHoles(content.pieces, guessSyntax(textOf(content))).flatMap((piece): readonly Finding[] => {
      if (piece.kind === 'text') return []
      const name = variableOf(piece.expression)
      used.add(name)
      const variable = declared.find(({ key }) => key === name)
      const span = { start: piece.start, end: piece.end }
      if (variable === undefined)
        return [{ rule: 'undeclared-variable', message: `${name} is not among the variables.`, ...span }]
      const source = textOf(entryOf(variable.value, 'source')?.value)
      if (role !== 'system' || source === 'trusted') return []
      return [
        {
          rule: 'untrusted-in-system-prompt',
          level: 'error',
          message: `${name} comes from ${source === 'user' ? 'the user' : `a ${source}`}.`,
          ...span,
        },
      ]
    })
  })
  const unused = declared.filter(({ key }) => !used.has(key))
  return [
    ...findings,
    ...unused.map(({ key, start, end }) => ({
      rule: 'unused-variable' as const,
      message: `${key} is in no message.`,
      start,
      end,
    })),
  ]
}
