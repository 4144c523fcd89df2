import { guessSyntax, variableOf, withHoles } from './holes.ts'
import type { Prompt, PromptRole } from './prompt.ts'
import { wordsOf } from './trust.ts'
import { entryOf, textOf, type Entry, type Value } from './value.ts'

const ROLES: Readonly<Record<string, PromptRole>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  ai: 'assistant',
  tool: 'tool',
}
const SYSTEM_KEYS =
  `system system_prompt systemPrompt system_message systemMessage instructions system_instruction
  systemInstruction backstory system_template`.split(/\s+/)

/** The prompts in a document of YAML or JSON: messages, templates, promptfoo prompts, keys that say prompt. */
export const dataPrompts = (root: Value): readonly Prompt[] => {
  const prompts: Prompt[] = []
  const declaredByTests = promptfooVariables(root)
  const walk = (value: Value, role: PromptRole, depth: number): void => {
    if (depth > 60) return
    if (value.kind === 'list') for (const item of value.items()) walk(item, role, depth + 1)
    if (value.kind !== 'object') return
    const inner = roleOfClass(value) ?? role
    for (const entry of value.entries()) {
      const found = promptsOf(value, entry, inner)
      if (found.length === 0) walk(entry.value, inner, depth + 1)
      for (const prompt of found) prompts.push(prompt)
    }
  }
  walk(root, 'template', 0)
  return declaredByTests === undefined
    ? prompts
    : prompts.map((prompt) =>
        prompt.role === 'template' ? { ...prompt, declared: usedOf(prompt, declaredByTests) } : prompt,
      )
}

/** LangChain hub: `{"lc": 1, "id": […, "SystemMessagePromptTemplate"], "kwargs": …}`. */
const roleOfClass = (value: Value): PromptRole | undefined => {
  const id = entryOf(value, 'id')?.value
  if (id?.kind !== 'list') return undefined
  const name = textOf(id.items().at(-1))
  if (name.startsWith('System')) return 'system'
  if (name.startsWith('Human')) return 'user'
  return name.startsWith('AI') ? 'assistant' : undefined
}

const promptsOf = (owner: Value, { key, value }: Entry, role: PromptRole): readonly Prompt[] => {
  if (key === 'content') {
    const said = ROLES[textOf(entryOf(owner, 'role')?.value)]
    return said === undefined ? [] : asPrompts(said, value)
  }
  if (SYSTEM_KEYS.includes(key)) return textOf(value).length >= 20 ? asPrompts('system', value) : []
  if (key === 'template') {
    const inputs = entryOf(owner, 'input_variables', 'inputVariables')?.value
    if (inputs === undefined && textOf(value).length < 20) return []
    const declared =
      inputs === undefined ? undefined : namesOf(inputs, entryOf(owner, 'partial_variables')?.value)
    return asPrompts(role, value, declared)
  }
  if (key === 'prompts' && value.kind === 'list')
    return value.items().flatMap((item) => asPrompts('template', item))
  const words = wordsOf(key)
  if (words.at(-1) !== 'prompt' || textOf(value).length < 20) return []
  return asPrompts(words.includes('system') ? 'system' : 'template', value)
}

const asPrompts = (role: PromptRole, value: Value, declared?: readonly string[]): readonly Prompt[] => {
  if (value.kind !== 'string') return []
  const text = textOf(value)
  if (text.startsWith('file://') || (!text.includes(' ') && !text.includes('{'))) return []
  const pieces = withHoles(value.pieces, guessSyntax(text))
  return [{ role, pieces, ...(declared === undefined ? {} : { declared }) }]
}

/** Names of a list of strings or of objects with a name; undefined when it is neither. */
const namesOf = (inputs: Value, partials: Value | undefined): readonly string[] | undefined => {
  const more = partials?.kind === 'object' ? partials.entries().map(({ key }) => key) : []
  if (inputs.kind === 'object') return [...inputs.entries().map(({ key }) => key), ...more]
  if (inputs.kind !== 'list') return undefined
  return [
    ...inputs
      .items()
      .map((item) => (item.kind === 'object' ? textOf(entryOf(item, 'name')?.value) : textOf(item))),
    ...more,
  ]
}

/** What the tests of a promptfoo configuration fill in; undefined where that is not in this file. */
const promptfooVariables = (root: Value): ReadonlySet<string> | undefined => {
  const tests = entryOf(root, 'tests')?.value
  if (entryOf(root, 'prompts') === undefined || entryOf(root, 'providers', 'targets') === undefined)
    return undefined
  if (tests?.kind !== 'list' || entryOf(root, 'scenarios', 'redteam', 'extensions') !== undefined)
    return undefined
  const names = new Set<string>(['_conversation', 'env', 'prompt'])
  for (const test of [...tests.items(), entryOf(root, 'defaultTest')?.value]) {
    if (test === undefined) continue
    if (test.kind !== 'object' || entryOf(test, '$ref') !== undefined) return undefined
    const vars = entryOf(test, 'vars')?.value
    if (vars === undefined) continue
    if (vars.kind !== 'object') return undefined
    for (const { key } of vars.entries()) names.add(key)
  }
  return names
}

/** Prompts share the variables of the tests, so one that this prompt does not use is no mistake. */
const usedOf = (prompt: Prompt, declared: ReadonlySet<string>): readonly string[] => {
  const used = prompt.pieces.flatMap((piece) => (piece.kind === 'hole' ? [variableOf(piece.expression)] : []))
  return [...new Set(used)].filter((name) => declared.has(name))
}
