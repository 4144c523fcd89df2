import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Run } from '../cluster/kubectl.ts'

type Schema = Readonly<Record<string, unknown>>

interface Document {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

const REF = '#/components/schemas/'

/**
 * Writes a JSON Schema of every kind that the API server serves into `folder`, as `<group>/<kind>_<version>.json` in lower case, the core
 * group as `core`. They are closed: a field that the API server would drop is a mistake.
 */
export const writeSchemas = async (kubectl: Run, folder: string): Promise<number> => {
  const { paths } = JSON.parse(await kubectl(['get', '--raw', '/openapi/v3'])) as {
    readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>
  }
  const served = Object.entries(paths).filter(([path]) => /^apis?\/.*v\d/.test(path))
  let written = 0
  for (const [path, { serverRelativeURL }] of served) {
    const { components } = JSON.parse(await kubectl(['get', '--raw', serverRelativeURL])) as Document
    const all = components?.schemas ?? {}
    for (const [name, schema] of Object.entries(all))
      for (const { group, kind, version } of kindsOf(schema)) {
        if (path !== (group === '' ? `api/${version}` : `apis/${group}/${version}`)) continue
        mkdirSync(join(folder, group || 'core'), { recursive: true })
        const file = join(folder, group || 'core', `${kind}_${version}.json`.toLowerCase())
        writeFileSync(file, JSON.stringify(standalone(name, all)))
        written++
      }
  }
  return written
}

const kindsOf = (schema: Schema): readonly { group: string; kind: string; version: string }[] => {
  const kinds = schema['x-kubernetes-group-version-kind']
  return Array.isArray(kinds) ? (kinds as { group: string; kind: string; version: string }[]) : []
}

/** The schema with all that it refers to. */
const standalone = (name: string, all: Readonly<Record<string, Schema>>): Schema => {
  const needed = new Map<string, unknown>()
  const add = (one: string): void => {
    if (needed.has(one)) return
    needed.set(one, undefined)
    needed.set(one, closed(all[one] ?? {}, add))
  }
  add(name)
  return { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(needed) }
}

const closed = (value: unknown, add: (name: string) => void): unknown => {
  if (Array.isArray(value)) return value.map((item) => closed(item, add))
  if (typeof value !== 'object' || value === null) return value
  const made: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (key === '$ref' && typeof item === 'string' && item.startsWith(REF)) {
      add(item.slice(REF.length))
      made.$ref = `#/definitions/${item.slice(REF.length)}`
    } else if (key !== 'default' && key !== 'format') made[key] = closed(item, add)
  }
  const open = 'additionalProperties' in made || made['x-kubernetes-preserve-unknown-fields'] === true
  return typeof made.properties === 'object' && made.type === 'object' && !open
    ? { ...made, additionalProperties: false }
    : made
}
