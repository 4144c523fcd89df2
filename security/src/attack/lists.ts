import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { FAMILIES, type Family, type Goal } from './attack.ts'
import { mutatorNamed } from './mutators/all.ts'

/** The beginning of an attack, before anything is done to it. */
export interface Seed {
  readonly id: string
  readonly family: Family | 'benign'
  readonly goal?: Goal
  /** `{{order}}` is where the goal's sentence goes. */
  readonly text: string
  /** Mutators that belong to the seed. */
  readonly with: readonly string[]
  /** Tools are offered to the model. */
  readonly tools: boolean
  /** The customer record is in the system prompt. */
  readonly record: boolean
}

const GOALS: ReadonlySet<string> = new Set<Goal>([
  'marker',
  'consent',
  'system_prompt',
  'secret',
  'passphrase',
  'personal_data',
  'tool',
  'image',
  'script',
  'flood',
])
const KEYS = new Set(['id', 'family', 'goal', 'text', 'with', 'tools', 'record'])
const LISTS = resolve(import.meta.dirname, '../../attacks')

/**
 * The curated lists, in the order of their file names. Throws Error that names file and entry for anything unknown, doubled
 * or without licence and source.
 */
export const readLists = (folder = LISTS): readonly Seed[] => {
  const seeds = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => readList(name, readFileSync(join(folder, name), 'utf8')))
  const ids = new Set<string>()
  for (const { id } of seeds) {
    if (ids.has(id)) throw new Error(`the attack lists name ${id} twice; give one another id`)
    ids.add(id)
  }
  return seeds
}

const readList = (file: string, text: string): readonly Seed[] => {
  const list = parse(text) as { licence?: unknown; source?: unknown; seeds?: unknown; prompts?: unknown }
  const fail = (why: string): never => {
    throw new Error(`${file}: ${why}`)
  }
  if (typeof list.licence !== 'string' || typeof list.source !== 'string')
    return fail('needs licence and source')
  const entries = list.seeds ?? list.prompts
  if (!Array.isArray(entries)) return fail('needs a list of seeds or prompts')
  const benign = list.prompts !== undefined
  return entries.map((entry: unknown, at) =>
    readSeed(entry, benign, (why) => fail(`entry ${at + 1}: ${why}`)),
  )
}

const readSeed = (entry: unknown, benign: boolean, fail: (why: string) => never): Seed => {
  if (typeof entry !== 'object' || entry === null) return fail('is no mapping')
  const given = entry as Readonly<Record<string, unknown>>
  const stray = Object.keys(given).find((key) => !KEYS.has(key))
  if (stray !== undefined) fail(`has an unknown key ${stray}`)
  const { id, text, family, goal } = given
  if (typeof id !== 'string' || !/^[a-z0-9-]{1,60}$/.test(id))
    return fail('needs an id of a to z, 0 to 9 and -')
  if (typeof text !== 'string' || text === '') return fail(`${id} needs a text`)
  const mutators = Array.isArray(given['with']) ? given['with'].map(String) : []
  mutators.forEach(mutatorNamed)
  const rest = { id, text, with: mutators, tools: given['tools'] === true, record: given['record'] === true }
  if (benign) return { ...rest, family: 'benign' }
  if (!isFamily(family)) return fail(`${id} needs a family: ${FAMILIES.join(', ')}`)
  if (!isGoal(goal)) return fail(`${id} needs a goal: ${[...GOALS].join(', ')}`)
  if (!text.includes('{{order}}')) return fail(`${id} does not say {{order}}`)
  return { ...rest, family, goal }
}

const isFamily = (value: unknown): value is Family => FAMILIES.some((family) => family === value)

const isGoal = (value: unknown): value is Goal => typeof value === 'string' && GOALS.has(value)
