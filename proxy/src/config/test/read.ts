import { readFileSync } from 'node:fs'
import { ConfigError, type Problem } from '../problems.ts'
import { readConfig } from '../read-config.ts'
import type { Config } from '../schema.ts'

export const read = (text: string, env: Record<string, string> = {}): Config =>
  readConfig(text, { env, readFile: (path) => readFileSync(path, 'utf8'), file: 'postern.yaml' })

export const problems = (text: string, env: Record<string, string> = {}): readonly Problem[] => {
  try {
    read(text, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

/** Line 1 to 3; a test adds from line 4. */
export const small = `identity: { anonymous: { roles: [user] } }
upstreams: [{ name: local, url: 'http://127.0.0.1:8000' }]
models: [{ name: m, targets: [{ upstream: local }] }]
`
