import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { limitsDocument, type JsonSchema } from './limits-document.ts'
import { configSchema } from './schema.ts'

/** JSON Schema (draft-07) of the configuration file, for editors. */
export const configJsonSchema = (): JsonSchema => ({
  ...(z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as JsonSchema),
  ...{ title: 'Postern configuration' },
})

let schema: JsonSchema | undefined

/** The keys that may stand in the section at that path. */
export const keysAt = (path: readonly PropertyKey[]): readonly string[] => {
  let at: JsonSchema | undefined = (schema ??= configJsonSchema())
  for (const step of path) {
    if (typeof step === 'number') at = at?.items
    else
      at =
        at?.properties?.[String(step)] ??
        (typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined)
  }
  const options = at?.anyOf ?? (at === undefined ? [] : [at])
  return options.flatMap((option) => Object.keys(option.properties ?? {}))
}

/** Generated files by their path from the package's folder. */
const generated = (): Readonly<Record<string, string>> => {
  const current = configJsonSchema()
  return {
    'config.schema.json': `${JSON.stringify(current, null, 2)}\n`,
    'docs/limits.md': limitsDocument(current),
  }
}

/** `--write` brings the generated files up to date; `--check` exits with 1 when one is not. */
const main = (mode: string | undefined): number => {
  const root = new URL('../../', import.meta.url)
  let stale = 0
  for (const [name, text] of Object.entries(generated())) {
    const file = fileURLToPath(new URL(name, root))
    if (mode === '--write') writeFileSync(file, text)
    else if (readOrNothing(file) !== text) {
      process.stderr.write(`proxy/${name} is stale: run node proxy/src/config/json-schema.ts --write\n`)
      stale++
    }
  }
  return stale > 0 ? 1 : 0
}

const readOrNothing = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv[2])
