import { z } from 'zod'
import { readDocument } from './document.ts'
import { issueProblems } from './issues.ts'
import { ConfigError } from './problems.ts'
import { section } from './quantities.ts'

const text = () => z.string().min(1).max(256)
const texts = () => z.array(text()).max(64)

const apiKey = section({
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, { error: 'must be sha256: and 64 hex digits; `postern token` makes it' }),
  subject: text(),
  tenant: text(),
  roles: texts(),
  scopes: texts().optional(),
  notAfter: z.iso.datetime({ offset: true, error: 'must be a time such as 2030-01-31T00:00:00Z' }).optional(),
})

const account = section({
  name: text(),
  password: z.string().regex(/^scrypt\$[!-~]{1,512}$/, {
    error: 'must be a scrypt hash; `postern token` makes it. Never write a password here',
  }),
  tenant: text(),
  roles: texts(),
  scopes: texts().optional(),
})

/** The file of `identity.apiKeys`. Throws ConfigError with everything that is wrong; hashes are not shown. */
export const readApiKeys = (yamlText: string, file: string) => readList(apiKey, yamlText, file)

/** The files of `identity.local`: users, or clients. Throws ConfigError. */
export const readAccounts = (yamlText: string, file: string) => readList(account, yamlText, file)

const readList = <Entry extends z.ZodType>(
  entry: Entry,
  yamlText: string,
  file: string,
): readonly z.output<Entry>[] => {
  const document = readDocument(yamlText)
  if (document.problems.length > 0) throw new ConfigError(file, document.problems)
  const parsed = z.array(entry).max(100_000).safeParse(document.value)
  if (!parsed.success)
    throw new ConfigError(
      file,
      issueProblems(parsed.error.issues, document, () => ENTRY_KEYS),
    )
  return parsed.data
}

const ENTRY_KEYS = ['hash', 'name', 'password', 'subject', 'tenant', 'roles', 'scopes', 'notAfter']
