import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../config/read-config.ts'
import type { Log } from '../core/log.ts'

export interface Profiles {
  current(): ReadonlyMap<string, string>
  close(): void
}

const NAME = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\.yaml$/

/** Linux takes no environment variable above 128 KiB, and `$(` grows by a character. */
const MAX_BYTES = 120_000
const MAX_PROFILES = 256
const POLL_MS = 10_000

/** Guard configurations by name, from files NAME.yaml, checked as `postern check` does. Followed; a bad change is told and the old stays. Throws Error at the start. */
export const followProfiles = (folder: string, log: Log): Profiles => {
  let profiles = readProfiles(folder)
  let problem = ''
  const timer = setInterval(() => {
    try {
      const next = readProfiles(folder)
      problem = ''
      if (JSON.stringify([...next]) === JSON.stringify([...profiles])) return
      profiles = next
      log.info('profiles_reloaded', { profiles: next.size })
    } catch (error) {
      const { message } = error as Error
      if (message !== problem) log.error('profiles_reload_failed', { why: message, kept: true })
      problem = message
    }
  }, POLL_MS)
  timer.unref()
  return { current: () => profiles, close: () => clearInterval(timer) }
}

const readProfiles = (folder: string): ReadonlyMap<string, string> => {
  const names = namesIn(folder)
  if (names.length === 0)
    throw new Error(`${folder} has no profile: mount the ConfigMap with default.yaml there`)
  if (names.length > MAX_PROFILES) throw new Error(`${folder} has more than ${MAX_PROFILES} profiles`)
  return new Map(names.map((name) => [name, readProfile(join(folder, `${name}.yaml`))]))
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
      .flatMap((file) => NAME.exec(file)?.[1] ?? [])
      .sort()
  } catch (cause) {
    const { code = 'error' } = cause as NodeJS.ErrnoException
    throw new Error(
      `injection.profiles: ${folder} cannot be read (${code}); mount the folder or correct the path`,
      {
        cause,
      },
    )
  }
}

const readProfile = (file: string): string => {
  const text = readFileSync(file, 'utf8')
  if (Buffer.byteLength(text) > MAX_BYTES)
    throw new Error(
      `${file} is longer than ${MAX_BYTES} bytes, more than an environment variable takes; shorten it`,
    )
  readConfig(text, { file, files: 'trust', env: {}, readFile: () => '' })
  return text
}
