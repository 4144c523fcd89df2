/** Where a secret is kept. */
export type SecretSource = { readonly file: string } | { readonly env: string }

/** A secret by reference. Whatever prints or serialises it gets its source, never its value. */
export interface Secret {
  /** `file:/path` or `env:NAME`. */
  readonly source: string
  /** Throws when `resolveSecret` has not been called with success. */
  reveal(): string
  toJSON(): string
}

export interface SecretReader {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
}

const values = new WeakMap<Secret, { readonly from: SecretSource; value: string | undefined }>()

export const newSecret = (from: SecretSource): Secret => {
  const source = 'file' in from ? `file:${from.file}` : `env:${from.env}`
  const secret: Secret = {
    source,
    reveal: () => {
      const value = values.get(secret)?.value
      if (value === undefined) throw new Error(`the secret ${source} was never read`)
      return value
    },
    toJSON: () => `(secret, from ${source})`,
  }
  values.set(secret, { from, value: undefined })
  return secret
}

export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' && value !== null && values.has(value as Secret)

/** Reads the value. Undefined when all is well, else what is wrong and what to do. */
export const resolveSecret = (secret: Secret, { env, readFile }: SecretReader): string | undefined => {
  const held = values.get(secret)
  if (held === undefined) return 'is not a secret'
  const { from } = held
  let found: string | undefined
  try {
    found = 'file' in from ? readFile(from.file) : env[from.env]
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error'
    return `cannot be read (${code}); mount the file or correct the path`
  }
  // An editor or `echo` ends a file with a line break that is not part of the secret.
  const value = found?.replace(/\r?\n$/, '')
  if (value === undefined) return `is not set; set the environment variable ${'env' in from ? from.env : ''}`
  if (value === '') return 'is empty; put the secret in it'
  held.value = value
  return undefined
}
