import { dirname } from 'node:path'
import type { Config } from './schema.ts'
import { isSecret } from './secret.ts'

export interface ConfigFile {
  readonly path: readonly (string | number)[]
  readonly file: string
  /** False for files that are made when they are not there. */
  readonly mustExist: boolean
}

/** Every file that the configuration names, secrets included. */
export const filesOf = (config: Config): readonly ConfigFile[] => {
  const found: ConfigFile[] = []
  const walk = (value: unknown, path: readonly (string | number)[]): void => {
    const key = path.at(-1)
    if (isSecret(value)) {
      // A secret that cannot be read is reported where it is read.
      if (value.source.startsWith('file:'))
        found.push({ path, file: value.source.slice(5), mustExist: false })
    } else if (typeof value === 'string') {
      if (namesFile(path, key)) found.push({ path, file: value, mustExist: !isMade(config, path, value) })
    } else if (Array.isArray(value)) value.forEach((entry, index) => walk(entry, [...path, index]))
    else if (typeof value === 'object' && value !== null)
      for (const [name, held] of Object.entries(value)) walk(held, [...path, name])
  }
  walk(config, [])
  return found
}

/** Written by the guard itself. */
const isMade = ({ workload }: Config, path: readonly (string | number)[], file: string): boolean =>
  path.join('.') === 'audit.file' ||
  path.join('.') === 'audit.capture.file' ||
  path.join('.') === 'policy.remote.file' ||
  (workload !== undefined && dirname(file) === workload.directory)

const namesFile = (path: readonly (string | number)[], key: string | number | undefined): boolean =>
  (typeof key === 'string' && key.endsWith('File')) ||
  key === 'file' ||
  (path[0] === 'policy' && key === 'bundle')
