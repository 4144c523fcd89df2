import type { Change, Model, Registry } from './registry.ts'

export interface Promotion {
  readonly name: string
  readonly version: string
  readonly alias: string
  /** Who does it, for the history. */
  readonly by: string
  readonly at: Date
  /** Also a version that nobody signed. */
  readonly unsigned: boolean
}

/** Lets the alias name a version. Throws an Error when there is none, or when it is not signed. */
export const promote = async (registry: Registry, promotion: Promotion): Promise<Change> => {
  const { name, version, alias, by, at, unsigned } = promotion
  const model = await known(registry, name)
  const found = model.versions.find((each) => each.version === version)
  if (found === undefined)
    throw new Error(
      `${name} has no version ${version}; it has ${list(model.versions.map((each) => each.version))}`,
    )
  if (found.signer === '' && !unsigned)
    throw new Error(
      `${name} ${version} is not signed; register it with a signature, or say --unsigned. A guard refuses it unless modelRegistry.requireSignature is false`,
    )
  const previous = Object.hasOwn(model.aliases, alias) ? (model.aliases[alias] ?? '') : ''
  if (previous === version) throw new Error(`${alias} of ${name} is ${version} already`)
  const change = { at: at.toISOString(), alias, version, previous, by }
  await registry.point(name, change)
  return change
}

export type Rollback = Pick<Promotion, 'name' | 'alias' | 'by' | 'at'>

/**
 * Lets the alias name what it named before its last change. A rollback is a change too, but the next one goes further back instead of
 * forth again. Throws an Error when there is nothing to go back to.
 */
export const rollback = async (registry: Registry, { name, alias, by, at }: Rollback): Promise<Change> => {
  const model = await known(registry, name)
  const version = before(model, alias)
  if (version === undefined) throw new Error(`${alias} of ${name} has no earlier version in the history`)
  const change = {
    at: at.toISOString(),
    alias,
    version,
    previous: model.aliases[alias] ?? '',
    by: `${by} ${MARK}`,
  }
  await registry.point(name, change)
  return change
}

const MARK = '(rollback)'

/** Walks the promotions of the alias back: each rollback has used up one of them. */
const before = ({ history, aliases }: Model, alias: string): string | undefined => {
  const steps: string[] = []
  for (const change of history) {
    if (change.alias !== alias) continue
    if (change.by.endsWith(MARK)) steps.pop()
    else steps.push(change.previous)
  }
  const last = steps.at(-1)
  return last === '' || last === aliases[alias] ? undefined : last
}

const known = async (registry: Registry, name: string): Promise<Model> => {
  const model = await registry.model(name)
  if (model === undefined)
    throw new Error(`there is no model ${name} in the registry; register a version first`)
  return model
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.slice(-10).join(', '))
