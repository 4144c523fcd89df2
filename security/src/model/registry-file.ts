import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Json, JsonObject } from '../../../proxy/src/core/json.ts'
import { isObject } from '../../../proxy/src/core/json.ts'
import { readJsonText } from '../../../proxy/src/core/strict-json.ts'
import { isName, keepLast, type Change, type Model, type Registry, type Version } from './registry.ts'

const LIMITS = { depth: 16, nodes: 200_000, keys: 200_000 }

/**
 * A registry in one JSON file, the same that a guard follows (`modelRegistry.file`). Written whole and renamed into place, so that a
 * guard never reads half of it; a lock file keeps two writers apart.
 */
export const fileRegistry = (file: string): Registry => ({
  models: () => read(file),
  model: async (name) => (await read(file)).find((each) => each.name === name),
  add: (name, version) =>
    change(file, (models) => {
      const known = models.find((each) => each.name === name)
      if (known?.versions.some((each) => each.version === version.version))
        throw new Error(
          `${name} has a version ${version.version} already; versions are never replaced, register another one`,
        )
      const model = known ?? { name, versions: [], aliases: {}, history: [] }
      return [replaced(models, { ...model, versions: [...model.versions, version] }), version.version]
    }),
  point: (name, step) =>
    change(file, (models) => {
      const model = models.find((each) => each.name === name)
      if (!model?.versions.some(({ version }) => version === step.version))
        throw new Error(`${name} has no version ${step.version}; register it first`)
      const aliases = { ...model.aliases, [step.alias]: step.version }
      return [replaced(models, { ...model, aliases, history: keepLast([...model.history, step]) }), undefined]
    }),
})

/** Replaces all of it, for a copy of another registry. */
export const writeRegistryFile = (file: string, models: readonly Model[]): Promise<void> =>
  change(file, () => [models, undefined])

const replaced = (models: readonly Model[], model: Model): readonly Model[] =>
  [...models.filter(({ name }) => name !== model.name), model].sort((a, b) => (a.name < b.name ? -1 : 1))

const read = async (file: string): Promise<readonly Model[]> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{"v":1,"models":{}}'
    throw error
  })
  try {
    const document = object(readJsonText(text, LIMITS))
    if (document['v'] !== 1) throw new Error('it is not of version 1')
    return Object.entries(object(document['models'])).map(([name, model]) => modelOf(name, object(model)))
  } catch (cause) {
    throw new Error(`${file}: is no model registry: ${(cause as Error).message}`, { cause })
  }
}

const modelOf = (name: string, { versions, aliases, history = [] }: JsonObject): Model => ({
  name: named(name),
  versions: Object.entries(object(versions)).map(([version, entry]) =>
    versionOf(named(version), object(entry)),
  ),
  aliases: Object.fromEntries(
    Object.entries(object(aliases)).map(([alias, version]) => [named(alias), named(version)]),
  ),
  history: array(history).map((each) => changeOf(object(each))),
})

const versionOf = (
  version: string,
  { source, serves_as: servesAs = '', digest, signer }: JsonObject,
): Version => ({
  version,
  source: text(source),
  servesAs: text(servesAs),
  digest: text(digest),
  signer: text(signer),
})

const changeOf = ({ at, alias, version, previous, by }: JsonObject): Change => ({
  at: text(at),
  alias: text(alias),
  version: text(version),
  previous: text(previous),
  by: text(by),
})

const documentOf = (models: readonly Model[]): Json => ({
  v: 1,
  models: Object.fromEntries(
    models.map(({ name, versions, aliases, history }) => [
      name,
      {
        versions: Object.fromEntries(
          versions.map(({ version, source, servesAs, digest, signer }) => [
            version,
            { source, ...(servesAs === '' ? {} : { serves_as: servesAs }), digest, signer },
          ]),
        ),
        aliases,
        history: history.map((each) => ({ ...each })),
      },
    ]),
  ),
})

const change = async <Result>(
  file: string,
  edit: (models: readonly Model[]) => readonly [readonly Model[], Result],
): Promise<Result> => {
  await mkdir(dirname(file), { recursive: true })
  const lock = `${file}.lock`
  const held = await open(lock, 'wx').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new Error(`${file}: somebody else changes it; if nobody does, remove ${lock}`)
    throw error
  })
  const temporary = `${file}.${randomUUID()}`
  try {
    const [models, result] = edit(await read(file))
    const made = await open(temporary, 'wx', 0o644)
    try {
      await made.writeFile(`${JSON.stringify(documentOf(models), null, 2)}\n`)
      await made.sync()
    } finally {
      await made.close()
    }
    await rename(temporary, file)
    return result
  } finally {
    await held.close()
    await rm(temporary, { force: true })
    await rm(lock, { force: true })
  }
}

const object = (value: Json | undefined): JsonObject => {
  if (isObject(value)) return value
  throw new Error('a member is not an object')
}

const array = (value: Json | undefined): readonly Json[] => {
  if (Array.isArray(value)) return value as readonly Json[]
  throw new Error('a member is not a list')
}

const text = (value: Json | undefined): string => {
  if (typeof value === 'string') return value
  throw new Error('a member is not a text')
}

const named = (value: Json | undefined): string => {
  const name = text(value)
  if (!isName(name)) throw new Error(`${JSON.stringify(name.slice(0, 64))} is no name`)
  return name
}
