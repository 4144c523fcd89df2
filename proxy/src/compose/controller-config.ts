import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { readDocument } from '../config/document.ts'
import { issueProblems } from '../config/issues.ts'
import { ConfigError } from '../config/problems.ts'
import { configMistakes, controllerConfigSchema, type ControllerConfig } from '../controller/config.ts'

/** Reads and checks the controller's configuration. Throws ConfigError with everything that is wrong at once. */
export const readControllerConfig = (yamlText: string, file: string): ControllerConfig => {
  const document = readDocument(yamlText)
  if (document.problems.length > 0) throw new ConfigError(file, document.problems)
  const parsed = controllerConfigSchema.safeParse(document.value, { reportInput: false })
  if (!parsed.success) throw new ConfigError(file, issueProblems(parsed.error.issues, document, keysAt))
  const mistakes = configMistakes(parsed.data)
  if (mistakes.length > 0)
    throw new ConfigError(
      file,
      mistakes.map(({ path, message }) => document.problem(path, message)),
    )
  return parsed.data
}

export const loadControllerConfig = (file: string): ControllerConfig =>
  readControllerConfig(readFileSync(file, 'utf8'), file)

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

/** The keys that may stand in the section at that path. */
const keysAt = (path: readonly PropertyKey[]): readonly string[] => {
  let at: JsonSchema | undefined = z.toJSONSchema(controllerConfigSchema, { io: 'input' }) as JsonSchema
  for (const step of path) at = at?.properties?.[String(step)]
  return Object.keys(at?.properties ?? {})
}
