import { extname } from 'node:path'
import { parse as parseYaml } from 'yaml'
import type { Family } from '../attack.ts'
import { csvRows } from './csv.ts'

/** What a row of a public list is: a way around a model's rules, or something that it should decline by itself. */
export type ListFamily = Family | 'harmful_request'

export interface PublicPrompt {
  readonly text: string
  readonly family: ListFamily
}

const MOST_PROMPTS = 100_000
const MOST_CHARACTERS = 64 << 10

/** Names of the field with the text to send, as lists use them. The first that a row has counts. */
const PROMPT_FIELDS = [
  'prompt',
  'attack',
  'injection',
  'text',
  'input',
  'query',
  'question',
  'instruction',
  'content',
]
/** AdvBench: goal. HarmBench and JailbreakBench: Behavior, Goal. Only used where there is no prompt made from it. */
const REQUEST_FIELDS = ['goal', 'behavior']
const LIST_FIELDS = ['jailbreaks', 'prompts', 'tests', 'payloads', 'attacks', 'data', 'rows', 'examples']

/**
 * The prompts of a list, doubles left out: CSV with a header (AdvBench, HarmBench, JailbreakBench, promptfoo), JSON (artifacts of
 * JailbreakBench, arrays, garak's payloads), JSON lines (garak's hit log too), YAML (promptfoo's tests), or one prompt a line. Throws
 * Error that says what is missing; texts over 64 Ki characters and more than 100,000 prompts are errors as well.
 */
export const readPrompts = (name: string, text: string): readonly PublicPrompt[] => {
  const prompts = READERS[extname(name).toLowerCase()]?.(text.replace(/^\ufeff/, '')) ?? lines(text)
  const found = new Map(
    prompts.filter((prompt) => prompt.text.trim() !== '').map((prompt) => [prompt.text, prompt]),
  )
  if (found.size === 0)
    throw new Error(
      `there is no prompt in it; rows need one of the fields ${[...PROMPT_FIELDS, ...REQUEST_FIELDS].join(', ')}`,
    )
  if (found.size > MOST_PROMPTS) throw new Error(`it has more than ${MOST_PROMPTS} prompts; send it in parts`)
  const long = [...found.keys()].findIndex((prompt) => prompt.length > MOST_CHARACTERS)
  if (long !== -1) throw new Error(`prompt ${long + 1} is longer than ${MOST_CHARACTERS} characters`)
  return [...found.values()]
}

type Reader = (text: string) => readonly PublicPrompt[]

const lines: Reader = (text) => text.split(/\r?\n/).map(jailbreak)

const jailbreak = (text: string): PublicPrompt => ({ text, family: 'jailbreak' })

const csv: Reader = (text) => {
  const [header = [], ...rows] = csvRows(text)
  const names = header.map((name) => name.trim())
  return rows.flatMap((row) => promptsIn(Object.fromEntries(names.map((name, at) => [name, row[at] ?? '']))))
}

const jsonLines: Reader = (text) =>
  text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      return promptsIn(JSON.parse(line))
    } catch (cause) {
      throw new Error(`line ${at + 1} is no JSON`, { cause })
    }
  })

const READERS: Readonly<Record<string, Reader>> = {
  '.csv': csv,
  '.json': (text) => promptsIn(JSON.parse(text)),
  '.jsonl': jsonLines,
  '.yaml': (text) => promptsIn(parseYaml(text)),
  '.yml': (text) => promptsIn(parseYaml(text)),
}

/** One value of a list, or a list of them, or an object that holds one. */
const promptsIn = (value: unknown): readonly PublicPrompt[] => {
  if (typeof value === 'string') return [jailbreak(value)]
  if (Array.isArray(value)) return value.flatMap(promptsIn)
  if (typeof value !== 'object' || value === null) return []
  const fields = new Map(Object.entries(value).map(([name, held]) => [name.toLowerCase(), held as unknown]))
  const list = LIST_FIELDS.map((name) => fields.get(name)).find(Array.isArray)
  if (list !== undefined) return list.flatMap(promptsIn)
  // promptfoo: the prompt is a variable of the test.
  const vars = fields.get('vars')
  if (typeof vars === 'object' && vars !== null) return promptsIn(namedOrOnly(vars))
  return promptOf(fields)
}

const promptOf = (fields: ReadonlyMap<string, unknown>): readonly PublicPrompt[] => {
  const given = PROMPT_FIELDS.find((name) => fields.has(name))
  // JailbreakBench has a row without a prompt where an attack found none: the bare goal would be another list.
  if (given !== undefined) return spoken(fields.get(given)).map(jailbreak)
  const goal = REQUEST_FIELDS.map((name) => fields.get(name)).find((held) => typeof held === 'string')
  if (goal === undefined) return []
  const context = fields.get('contextstring')
  const text = typeof context === 'string' && context !== '' ? `${context}\n\n---\n\n${goal}` : goal
  return [{ text, family: 'harmful_request' }]
}

/** A text, or garak's conversation: `{turns: [{role, content: {text}}]}`, of which the last turn is sent. */
const spoken = (held: unknown): readonly string[] => {
  if (typeof held === 'string') return [held]
  const turns = (held as { turns?: readonly { content?: { text?: unknown } }[] } | null)?.turns
  const text = turns?.at(-1)?.content?.text
  return typeof text === 'string' ? [text] : []
}

const namedOrOnly = (vars: object): unknown => {
  const known = Object.keys(vars).some((name) => PROMPT_FIELDS.includes(name.toLowerCase()))
  const values = Object.values(vars) as readonly unknown[]
  return known || values.length !== 1 ? vars : values[0]
}
