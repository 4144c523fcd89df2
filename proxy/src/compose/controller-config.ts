import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { respondChecks } from '../config/checks.ts'
import { readDocument } from '../config/document.ts'
import { issueProblems } from '../config/issues.ts'
import { ConfigError } from '../config/problems.ts'
import { controllerRespondSchema } from '../config/schema-respond.ts'
import { configMistakes, controllerConfigSchema } from '../controller/config.ts'
import { given } from './given.ts'

/** The controller's file with all its parts: `respond` is written as in a guard's. */
export const controllerFileSchema = controllerConfigSchema.extend({
  respond: controllerRespondSchema.optional(),
})

export type ControllerFile = z.output<typeof controllerFileSchema>

/** Reads and checks the controller's configuration. Throws ConfigError with everything that is wrong at once. */
export const readControllerConfig = (yamlText: string, file: string): ControllerFile => {
  const document = readDocument(yamlText)
  if (document.problems.length > 0) throw new ConfigError(file, document.problems)
  const parsed = controllerFileSchema.safeParse(document.value, { reportInput: false })
  if (!parsed.success) throw new ConfigError(file, issueProblems(parsed.error.issues, document, keysAt))
  const mistakes = [...configMistakes(parsed.data), ...respondChecks(given(parsed.data))]
  if (mistakes.length > 0)
    throw new ConfigError(
      file,
      mistakes.map(({ path, message }) => document.problem(path, message)),
    )
  return parsed.data
}

export const loadControllerConfig = (file: string): ControllerFile =>
  readControllerConfig(readFileSync(file, 'utf8'), file)

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

/** The keys that may stand in the section at that path. */
const keysAt = (path: readonly PropertyKey[]): readonly string[] => {
  let at: JsonSchema | undefined = z.toJSONSchema(controllerFileSchema, { io: 'input' }) as JsonSchema
  for (const step of path) at = at?.properties?.[String(step)]
  return Object.keys(at?.properties ?? {})
}
