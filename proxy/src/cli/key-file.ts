import { readFileSync } from 'node:fs'
import { CliError, EXIT, unreadable } from './command.ts'

/** Throws CliError when the file cannot be read or holds no public key. */
export const readPublicKey = (file: string): string => {
  const text = readKeyFile(file)
  if (!text.includes('-----BEGIN PUBLIC KEY-----'))
    throw new CliError(
      `${file} holds no public key in PEM; a guard writes its own beside the log, as LOG.pub`,
    )
  return text
}

/** Throws CliError when the file cannot be read. */
export const readKeyFile = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CliError(`cannot read ${file}: ${unreadable(error)}`, EXIT.failed)
  }
}
