import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isObject, type Json, type JsonObject } from '../core/json.ts'
import { driftOf, type Drift } from './drift.ts'
import { isName } from './names.ts'
import {
  emptyPane,
  emptyWords,
  ENTROPY_BINS,
  LENGTH_BINS,
  MOST_WORDS,
  SAMPLE_SIZE,
  type Pane,
  type Sample,
  type Words,
} from './pane.ts'
import { MOST_ARGUMENTS, MOST_ROLES, MOST_TOOLS, type RoleTools } from './tool-use.ts'

export interface Profile {
  readonly model: string
  readonly tenant: string
  readonly pane: Pane
}

/** How models behaved when somebody found it good: what drift is measured against. */
export interface Baseline {
  readonly version: 1
  /** RFC 3339, UTC. */
  readonly made: string
  readonly profiles: readonly Profile[]
  readonly roles: readonly RoleTools[]
}

export const MOST_PROFILES = 1024
const MOST_BYTES = 64 * 1024 * 1024

/** The file appears whole or not at all, readable by its owner only, and is on disk when this resolves. */
export const freezeBaseline = async (path: string, snapshot: Json): Promise<Baseline> => {
  const baseline = parseBaseline(snapshot, 'the snapshot')
  if (baseline.profiles.every(({ pane }) => pane.exchanges === 0))
    throw new Error('nothing was seen yet: let traffic pass before a baseline is frozen')
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(snapshot)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
  return baseline
}

/** The new name itself must survive a crash too. */
const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Throws an Error that says what is wrong with the file and what to do. */
export const readBaseline = async (path: string): Promise<Baseline> => {
  const text = await readFile(path, 'utf8')
  if (text.length > MOST_BYTES) throw new Error(`${path} is larger than any baseline; freeze a new one`)
  return parseBaseline(JSON.parse(text) as Json, path)
}

export interface ProfileDrift {
  readonly model: string
  readonly tenant: string
  readonly drifts: readonly Drift[]
}

/** Every profile of the snapshot that the baseline has too. */
export const compareBaseline = (baseline: Baseline, snapshot: Json): readonly ProfileDrift[] =>
  parseBaseline(snapshot, 'the snapshot').profiles.flatMap(({ model, tenant, pane }) => {
    const known = baseline.profiles.find((one) => one.model === model && one.tenant === tenant)
    return known === undefined ? [] : [{ model, tenant, drifts: driftOf(known.pane, pane) }]
  })

export const snapshotOf = ({ made, profiles, roles }: Omit<Baseline, 'version'>): Json =>
  JSON.parse(JSON.stringify({ version: 1, made, profiles, roles }, rounded)) as Json

const rounded = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value

export const parseBaseline = (json: Json, from: string): Baseline => {
  const fail = (what: string): never => {
    throw new Error(`${from}: ${what}; freeze a new baseline`)
  }
  if (!isObject(json)) return fail('not a JSON object')
  if (json['version'] !== 1) return fail('not version 1 of the baseline format')
  const { made, profiles, roles } = json
  if (typeof made !== 'string' || Number.isNaN(Date.parse(made))) return fail('`made` is no time')
  if (!isList(profiles) || profiles.length > MOST_PROFILES) return fail('`profiles` is no list, or too long')
  if (!isList(roles) || roles.length > MOST_ROLES) return fail('`roles` is no list, or too long')
  try {
    return { version: 1, made, profiles: profiles.map(profileOf), roles: roles.map(roleOf) }
  } catch (cause) {
    if (cause instanceof Wrong) return fail(cause.message)
    throw cause
  }
}

class Wrong extends Error {}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

const objectAt = (json: Json | undefined, name: string): JsonObject => {
  if (!isObject(json)) throw new Wrong(`\`${name}\` is no object`)
  return json
}

const profileOf = (json: Json): Profile => {
  const profile = objectAt(json, 'profiles')
  const pane = objectAt(profile['pane'], 'pane')
  const samples = objectAt(pane['samples'], 'samples')
  return {
    model: stringAt(profile, 'model'),
    tenant: stringAt(profile, 'tenant'),
    pane: {
      ...emptyPane(),
      exchanges: countAt(pane, 'exchanges'),
      answers: countAt(pane, 'answers'),
      refused: countAt(pane, 'refused'),
      declined: countAt(pane, 'declined'),
      length: bins(pane['length'], LENGTH_BINS),
      entropy: bins(pane['entropy'], ENTROPY_BINS),
      findings: words(pane['findings']),
      tools: words(pane['tools']),
      language: words(pane['language']),
      samples: { length: sample(samples['length']), entropy: sample(samples['entropy']) },
    },
  }
}

const LONGEST = 256

const stringAt = (from: JsonObject, name: string): string => {
  const value = from[name]
  if (typeof value !== 'string' || value.length > LONGEST) throw new Wrong(`\`${name}\` is no short string`)
  return value
}

const isCount = (value: Json | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const countAt = (from: JsonObject, name: string): number => {
  const value = from[name]
  if (!isCount(value)) throw new Wrong(`\`${name}\` is no count`)
  return value
}

const bins = (json: Json | undefined, size: number): number[] => {
  if (!isList(json) || json.length !== size || !json.every(isCount))
    throw new Wrong(`a histogram has not ${size} counts`)
  return [...json]
}

const words = (json: Json | undefined): Words => {
  const entries = Object.entries(objectAt(json, 'words'))
  if (entries.length > MOST_WORDS + 1) throw new Wrong('a histogram has too many words')
  const made = emptyWords()
  for (const [word, count] of entries) {
    if (!isCount(count) || word.length > LONGEST) throw new Wrong('a histogram has a word without a count')
    made[word] = count
  }
  return made
}

const isNumber = (value: Json | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value)

const sample = (json: Json | undefined): Sample => {
  const from = objectAt(json, 'samples')
  const { mean, squares, kept } = from
  if (!isNumber(mean) || !isNumber(squares) || squares < 0) throw new Wrong('a sample has no mean or spread')
  if (!isList(kept) || kept.length > SAMPLE_SIZE || !kept.every(isNumber))
    throw new Wrong(`a sample is no list of at most ${SAMPLE_SIZE} numbers`)
  return { count: countAt(from, 'count'), mean, squares, kept: [...kept] }
}

const roleOf = (json: Json): RoleTools => {
  const role = objectAt(json, 'roles')
  const tools = Object.entries(objectAt(role['tools'], 'tools'))
  if (tools.length > MOST_TOOLS || !tools.every(([name]) => isName(name)))
    throw new Wrong('a role has too many tools, or one that is no name')
  return {
    role: stringAt(role, 'role'),
    tools: Object.fromEntries(tools.map(([name, names]) => [name, argumentNames(names)])),
  }
}

const argumentNames = (json: Json): readonly string[] => {
  const isArgument = (name: Json): name is string => typeof name === 'string' && isName(name)
  if (!isList(json) || json.length > MOST_ARGUMENTS || !json.every(isArgument))
    throw new Wrong('a tool has too many arguments, or one that is no name')
  return json
}
