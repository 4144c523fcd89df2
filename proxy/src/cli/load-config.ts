import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readDocument } from '../config/document.ts'
import { forPod, readPod, type PodSource } from '../config/pod.ts'
import { ConfigError } from '../config/problems.ts'
import { readConfig, type ConfigSource } from '../config/read-config.ts'
import type { Config } from '../config/schema.ts'
import type { PodOverlay } from '../core/pod.ts'
import { CliError, EXIT, unreadable, type Io } from './command.ts'

const FROM_ENV = /^env:([A-Za-z_][A-Za-z0-9_]*)$/

/** The file to watch; undefined when the configuration is in an environment variable, which never changes. */
export const fileOf = (given: string): string | undefined =>
  FROM_ENV.test(given) ? undefined : resolve(given)

/** Reads and checks the configuration in a file, or in `env:NAME`. Throws CliError with every problem. */
export const loadConfig = (
  given: string,
  io: Pick<Io, 'env'>,
  files: ConfigSource['files'] = 'check',
): Config => {
  const file = fileOf(given)
  const text = file === undefined ? inEnv(given, io) : readFile(file)
  return orCliError(() => readConfig(text, { file: file ?? given, env: io.env, readFile: read, files }))
}

/** What was found wrong later, as lines that name the place as those of `loadConfig` do. */
export const locate = (
  given: string,
  io: Pick<Io, 'env'>,
  wrong: readonly { readonly path: readonly string[]; readonly message: string }[],
): readonly string[] => {
  if (wrong.length === 0) return []
  const file = fileOf(given)
  const document = readDocument(file === undefined ? inEnv(given, io) : readFile(file))
  const problems = wrong.map(({ path, message }) => document.problem(path, message))
  return [new ConfigError(file ?? given, problems).message]
}

export interface LoadedPod {
  readonly overlay: PodOverlay
  /** Throws CliError. */
  apply(profile: Config): Config
}

/** What the injector wrote, in `env:NAME`. Throws CliError. */
export const loadPod = (given: string, io: Pick<Io, 'env'>): LoadedPod => {
  if (!FROM_ENV.test(given)) throw new CliError(`--pod takes env:NAME_OF_A_VARIABLE, not ${given}`)
  const source: PodSource = { text: inEnv(given, io), name: given, podIp: io.env['POD_IP'] }
  const overlay = orCliError(() => readPod(source))
  return { overlay, apply: (profile) => orCliError(() => forPod(profile, overlay, source)) }
}

const inEnv = (given: string, { env }: Pick<Io, 'env'>): string => {
  const name = FROM_ENV.exec(given)?.[1] ?? ''
  const text = env[name]
  if (text === undefined || text === '')
    throw new CliError(`set the environment variable ${name}: it is empty`)
  return text
}

const read = (path: string): string => readFileSync(path, 'utf8')

const readFile = (file: string): string => {
  try {
    return read(file)
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${unreadable(cause)}`, EXIT.failed)
  }
}

const orCliError = <T>(make: () => T): T => {
  try {
    return make()
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message)
    throw error
  }
}
