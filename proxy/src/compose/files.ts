import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

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

const names = z.array(z.string().min(1).max(256)).max(64)

const accountsSchema = z.array(
  z.strictObject({
    name: z.string().min(1).max(256),
    password: z.string().max(512),
    tenant: z.string().min(1).max(256),
    roles: names,
    scopes: names.optional(),
  }),
)

const apiKeysSchema = z.array(
  z.strictObject({
    hash: z.string().regex(/^sha256:[0-9a-f]{64}$/, {
      error: 'must be sha256: and 64 hex digits; see postern token --help',
    }),
    subject: z.string().min(1).max(256),
    tenant: z.string().min(1).max(256),
    roles: names,
    scopes: names.optional(),
    notAfter: z.iso.datetime({ offset: true }).optional(),
  }),
)

const readList = <T>(path: string, schema: z.ZodType<T>): T => {
  const text = readText(path)
  const read = schema.safeParse(parseYaml(path, text))
  if (read.success) return read.data
  const problems = read.error.issues.map(({ path: at, message }) =>
    at.length > 0 ? `entry ${at.join('.')}: ${message}` : 'must be a list, one entry after each "- "',
  )
  throw new Error(`${path}: ${problems.slice(0, 10).join('; ')}`)
}

/** A parser's message may quote the file, and the file holds credentials. */
const parseYaml = (path: string, text: string): unknown => {
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch {
    throw new Error(`${path}: not valid YAML`)
  }
}

export const readAccounts = (path: string | undefined) =>
  path === undefined ? [] : readList(path, accountsSchema)

export const readApiKeys = (path: string) => readList(path, apiKeysSchema)
