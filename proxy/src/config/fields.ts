import { z } from 'zod'
import { newSecret } from './secret.ts'

const secretAdvice =
  'a secret is never written into this file: write {file: /path/of/the/secret} or {env: NAME_OF_THE_VARIABLE}'

/** Only a reference; the value is read when the configuration is loaded. */
export const secret = () =>
  z
    .union(
      [
        z.strictObject({ file: path().describe('File that holds the secret and nothing else.') }),
        z.strictObject({
          env: z
            .string()
            .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)
            .describe('Environment variable that holds the secret.'),
        }),
      ],
      { error: secretAdvice },
    )
    .transform(newSecret)

/** An absolute URL of one of the schemes, without credentials: those have their own keys. */
export const url = (...schemes: readonly string[]) => {
  const advice = `must be a URL such as ${schemes[0] ?? 'https'}://host:port/path`
  return z
    .string({ error: advice })
    .max(2048)
    .superRefine((text, context) => {
      const found = URL.parse(text)
      if (found === null || !schemes.includes(found.protocol.slice(0, -1)))
        context.addIssue({ code: 'custom', message: `${advice} (${schemes.join(' or ')})` })
      else if (found.username !== '' || found.password !== '')
        context.addIssue({
          code: 'custom',
          message: 'must not hold a user or password: use the keys for credentials',
        })
      else if (found.hash !== '') context.addIssue({ code: 'custom', message: 'must not have a fragment' })
    })
}

export const path = () => z.string().min(1).max(4096)

/** A name that may become a metric label. */
export const name = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, { error: 'must be 1 to 128 letters, digits or . _ : / -' })
