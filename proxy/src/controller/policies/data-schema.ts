import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LineCounter, parseDocument, isNode } from 'yaml'
import { z } from 'zod'
import { isObject, type JsonObject } from '../../core/json.ts'
import { pointer } from '../../core/text.ts'
import type { DataFile } from './collect.ts'
import type { Merged } from './merge.ts'
import type { Problem } from './problem.ts'

/** What is wrong with merged data. A misspelt key would be a rule that never applies, so unknown keys count. */
export type DataCheck = (merged: Merged) => readonly Problem[]

/**
 * Reads the schemas of policy data, `schemas/policy_data.json` and what it refers to, below the folder of the policies.
 * Throws Error that names the file which is missing or not a schema.
 */
export const dataCheck = async (sources: string): Promise<DataCheck> => {
  const folder = join(sources, 'schemas')
  const top = await readSchema(join(folder, 'policy_data.json'))
  const properties = isObject(top['properties'] as JsonObject) ? (top['properties'] as JsonObject) : {}
  const parts = new Map<string, z.ZodType>()
  for (const [name, reference] of Object.entries(properties)) {
    const file = isObject(reference) ? reference['$ref'] : undefined
    if (typeof file !== 'string') throw new Error(`${folder}/policy_data.json: ${name} has no $ref to a file`)
    parts.set(name, z.fromJSONSchema(await readSchema(join(folder, file))))
  }
  return (merged) => check(parts, merged)
}

type Schema = Parameters<typeof z.fromJSONSchema>[0] & JsonObject

const readSchema = async (path: string): Promise<Schema> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Schema
  } catch (cause) {
    throw new Error(
      `cannot read the schema ${path}; policies.sources must be the folder policies of this version`,
      {
        cause,
      },
    )
  }
}

const MAX_PROBLEMS = 16

const check = (parts: ReadonlyMap<string, z.ZodType>, merged: Merged): readonly Problem[] => {
  const problems: Problem[] = []
  const say = (path: readonly (string | number)[], what: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(problemAt(merged.ownerOf(path), path, what))
  }
  for (const name of Object.keys(merged.data)) {
    if (!parts.has(name)) say([name], `is not a part of data.json; there are ${[...parts.keys()].join(', ')}`)
  }
  for (const [name, schema] of parts) {
    const { error } = schema.safeParse(merged.data[name])
    for (const issue of error?.issues ?? []) {
      const path = [name, ...issue.path.map((step) => (typeof step === 'symbol' ? '?' : step))]
      if (issue.code === 'unrecognized_keys')
        for (const key of issue.keys) say([...path, key], 'is not known here; look for a misspelling')
      else say(path, wordsOf(issue.message))
    }
  }
  return problems
}

const wordsOf = (message: string): string =>
  message.replace(/^Invalid (?:input|option|string): /, '').replace('received undefined', 'it is missing')

const problemAt = (
  owner: DataFile | undefined,
  path: readonly (string | number)[],
  what: string,
): Problem => ({
  code: 'data_invalid',
  ...(owner === undefined ? {} : { configMap: owner.configMap, key: owner.key, ...lineOf(owner, path) }),
  message: `${pointer(path)} ${what}`,
})

/** Of the value, or of the nearest above it that the file has. */
const lineOf = (file: DataFile, path: readonly (string | number)[]): { readonly line?: number } => {
  const lines = new LineCounter()
  const document = parseDocument(file.text, { lineCounter: lines, schema: 'json', uniqueKeys: false })
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    const start = isNode(node) ? node.range?.[0] : undefined
    if (start !== undefined) return { line: lines.linePos(start).line }
  }
  return {}
}
