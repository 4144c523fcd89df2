import { readFileSync } from 'node:fs'
import { readAccounts, readApiKeys } from '../config/credential-files.ts'

const MAX_BYTES = 8 << 20

/** Throws an Error that names the file. */
export const readText = (path: string): string => {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length <= MAX_BYTES) return text
  } catch (cause) {
    throw new Error(`${path}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'error'})`, {
      cause,
    })
  }
  throw new Error(`${path}: larger than ${MAX_BYTES} bytes`)
}

/** Undefined in, undefined out. */
export const readOptional = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : readText(path)

export const accountsIn = (path: string | undefined) =>
  path === undefined ? [] : readAccounts(readText(path), path)

export const apiKeysIn = (path: string) => readApiKeys(readText(path), path)
