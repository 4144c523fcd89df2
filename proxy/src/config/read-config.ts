import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { checkConfig } from './checks.ts'
import { readDocument } from './document.ts'
import { filesOf } from './files.ts'
import { issueProblems } from './issues.ts'
import { keysAt } from './json-schema.ts'
import { ConfigError } from './problems.ts'
import { configSchema, type Config } from './schema.ts'
import { isSecret, resolveSecret, type SecretReader } from './secret.ts'

export interface ConfigSource extends SecretReader {
  /** Name of the file, for messages. */
  readonly file: string
  /** `trust`: the files and secrets that it names are elsewhere, as when a manifest is checked outside its pod. */
  readonly files?: 'check' | 'trust'
}

/** Reads and checks a configuration. Throws ConfigError with everything that is wrong at once. */
export const readConfig = (yamlText: string, source: ConfigSource): Config => {
  const document = readDocument(yamlText)
  if (document.problems.length > 0) throw new ConfigError(source.file, document.problems)
  const parsed = configSchema.safeParse(document.value, { reportInput: false })
  if (!parsed.success)
    throw new ConfigError(source.file, issueProblems(parsed.error.issues, document, keysAt))
  const config = parsed.data
  const elsewhere = source.files === 'trust'
  const wrong = [
    ...checkConfig(config),
    ...(elsewhere ? [] : [...secretProblems(config, source), ...fileProblems(config)]),
  ]
  if (wrong.length > 0)
    throw new ConfigError(
      source.file,
      wrong.map(({ path, message }) => document.problem(path, message)),
    )
  return config
}

/** The configuration as it may be shown: secrets appear as the place they come from. */
export const maskedConfig = (config: Config): unknown => JSON.parse(JSON.stringify(config))

interface Wrong {
  readonly path: readonly (string | number)[]
  readonly message: string
}

const secretProblems = (config: Config, reader: SecretReader): readonly Wrong[] => {
  const found: Wrong[] = []
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    if (isSecret(value)) {
      const message = resolveSecret(value, reader)
      if (message !== undefined) found.push({ path, message: `${value.source} ${message}` })
    } else if (Array.isArray(value)) value.forEach((entry, index) => walk(entry, [...path, index]))
    else if (typeof value === 'object' && value !== null)
      for (const [key, held] of Object.entries(value)) walk(held, [...path, key])
  }
  walk(config, [])
  return found
}

const fileProblems = (config: Config): readonly Wrong[] =>
  filesOf(config)
    .filter(({ mustExist }) => mustExist)
    .flatMap(({ path, file }) => {
      try {
        accessSync(file, constants.R_OK)
        if (statSync(file).isDirectory())
          return [{ path, message: `${file} is a folder; name the file in it` }]
        return []
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code ?? 'error'
        const tried = isAbsolute(file) ? '' : `, taken as ${resolve(file)}`
        return [
          { path, message: `${file} cannot be read (${code}${tried}); mount the file or correct the path` },
        ]
      }
    })
